//! gRPC services of a test: handlers that are written once, and called by the model and by a real server alike.

pub(crate) mod server;

use std::{fmt, sync::Arc, time::Duration};

/// A gRPC call as a service sees it, as far as it has come.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct GrpcCall {
    pub(crate) service: String,
    pub(crate) method: String,
    pub(crate) metadata: Vec<(String, Vec<u8>)>,
    pub(crate) messages: Vec<Vec<u8>>,
    pub(crate) ended: bool,
}

/// What a service sends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrpcReply {
    pub(crate) metadata: Vec<(String, Vec<u8>)>,
    pub(crate) messages: Vec<Vec<u8>>,
    pub(crate) status: Option<(u32, String)>,
    pub(crate) trailers: Vec<(String, Vec<u8>)>,
    pub(crate) delay: Duration,
}

/// How a service answers.
#[derive(Clone)]
pub(crate) struct GrpcHandler {
    answer: Arc<dyn Fn(&GrpcCall) -> GrpcReply + Send + Sync>,
    /// It is asked at every message; else once, when the client has ended.
    each: bool,
}

// === impl GrpcCall ===

impl GrpcCall {
    /// The service's full name, such as `envoy.service.auth.v3.Authorization`.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The method's name, such as `Check`.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The first value of an entry of the metadata.
    pub fn metadata(&self, name: &str) -> Option<&[u8]> {
        self.metadata.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }

    /// The messages that have come, as their bytes.
    pub fn messages(&self) -> &[Vec<u8>] {
        &self.messages
    }

    /// The last message that has come; empty if there is none.
    pub fn message(&self) -> &[u8] {
        self.messages.last().map(|message| &**message).unwrap_or_default()
    }

    /// Whether the client will send nothing more.
    pub fn is_ended(&self) -> bool {
        self.ended
    }
}

impl fmt::Debug for GrpcCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}/{}", self.service, self.method)?;
        for (name, value) in &self.metadata {
            writeln!(f, "  {name}: {}", value.escape_ascii())?;
        }
        for message in &self.messages {
            writeln!(f, "  ({} bytes) {}", message.len(), message.escape_ascii())?;
        }
        f.write_str(if self.ended { "  (ended)\n" } else { "  (open)\n" })
    }
}

// === impl GrpcReply ===

impl GrpcReply {
    /// Nothing yet.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// A message, given as its bytes.
    pub fn message(message: impl Into<Vec<u8>>) -> Self {
        Self::default().and_message(message)
    }

    /// The end, with a [status code](https://grpc.github.io/grpc/core/md_doc_statuscodes.html) and a text.
    pub fn status(code: u32, text: &str) -> Self {
        Self::default().and_status(code, text)
    }

    /// Adds a message behind those that are there.
    #[must_use]
    pub fn and_message(mut self, message: impl Into<Vec<u8>>) -> Self {
        self.messages.push(message.into());
        self
    }

    /// Ends the call behind the messages. A service that is asked once ends with status 0 by itself.
    #[must_use]
    pub fn and_status(mut self, code: u32, text: &str) -> Self {
        self.status = Some((code, text.to_owned()));
        self
    }

    /// Adds to the initial metadata; only the first reply of a call has any.
    #[must_use]
    pub fn with_metadata(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.metadata.push((name.to_ascii_lowercase(), value.as_ref().to_vec()));
        self
    }

    /// Adds to the trailing metadata.
    #[must_use]
    pub fn with_trailer(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.trailers.push((name.to_ascii_lowercase(), value.as_ref().to_vec()));
        self
    }

    /// Sends it only after some time.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

// === impl GrpcHandler ===

impl GrpcHandler {
    pub(crate) fn new(each: bool, answer: impl Fn(&GrpcCall) -> GrpcReply + Send + Sync + 'static) -> Self {
        Self { answer: Arc::new(answer), each }
    }

    /// What it sends now that something has come.
    pub(crate) fn reply(&self, call: &GrpcCall) -> GrpcReply {
        if !self.each && !call.ended {
            return GrpcReply::nothing();
        }
        let mut reply = (self.answer)(call);
        if !self.each {
            reply.status.get_or_insert((0, String::new()));
        }
        reply
    }
}
