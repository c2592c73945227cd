use std::{net::SocketAddr, time::SystemTime};

/// What is known of a request.
pub(crate) struct Told {
    /// All of them, pseudo headers too, in their order.
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) source: Peer,
    pub(crate) destination: Peer,
    /// `HTTP/1.1`, `HTTP/2`, …
    pub(crate) protocol: String,
    /// In bytes; -1 if nobody knows.
    pub(crate) size: i64,
    pub(crate) time: Option<SystemTime>,
    /// If the service is to have it.
    pub(crate) body: Option<Body>,
}

/// One end of the client's connection.
#[derive(Default)]
pub(crate) struct Peer {
    pub(crate) address: Option<SocketAddr>,
    /// Whom its certificate names; empty without one.
    pub(crate) principal: String,
}

/// What the service gets of a body.
pub(crate) struct Body {
    pub(crate) bytes: Vec<u8>,
    /// There is more of it.
    pub(crate) is_partial: bool,
}

/// Tells the service whether it has all of the body.
pub(super) const PARTIAL_BODY: &str = "x-envoy-auth-partial-body";

// === impl Told ===

impl Told {
    /// The first value of a header; nothing if it is not there.
    pub(super) fn header(&self, name: &str) -> &[u8] {
        self.headers.iter().find(|(known, _)| known == name).map_or(&[], |(_, value)| value)
    }
}

// === impl Body ===

impl Body {
    pub(super) fn said_to_be_partial(&self) -> &'static str {
        if self.is_partial { "true" } else { "false" }
    }
}

/// Text, with `!` in the place of each byte that is not UTF-8: as Envoy has it.
pub(super) fn text(bytes: &[u8]) -> String {
    // Chunk by chunk takes twenty times as long.
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '!'));
    }
    text
}
