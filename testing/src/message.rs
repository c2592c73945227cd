use std::{fmt, time::Duration};

/// A request: one to send, or one that a server saw.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) authority: String,
    pub(crate) message: Message,
}

/// A response: one that a server gives, or one that came back.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    pub(crate) status: u16,
    pub(crate) message: Message,
    pub(crate) delay: Duration,
    pub(crate) cut_off: bool,
    pub(crate) hung_up: bool,
    /// So many bytes of the body come only after this time.
    pub(crate) pause: Option<(usize, Duration)>,
    /// Envoy has made it up in the place of a server.
    pub(crate) made_up: bool,
    /// Of a local reply: its response code details, and its gRPC status.
    pub(crate) details: String,
    pub(crate) grpc_status: Option<u32>,
}

/// What requests and responses have in common.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<(String, Vec<u8>)>,
    /// It did not end as it should.
    pub(crate) broken: bool,
}

// === impl Request ===

impl Request {
    /// A request with this method, for this path and query.
    pub fn new(method: &str, path: &str) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), authority: "test".to_owned(), message: Message::default() }
    }

    /// A `GET`.
    pub fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    /// A `POST`.
    pub fn post(path: &str) -> Self {
        Self::new("POST", path)
    }

    /// For this host, which is `test` unless set.
    #[must_use]
    pub fn with_authority(mut self, authority: &str) -> Self {
        self.authority = authority.to_owned();
        self
    }

    /// The method.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Path and query.
    pub fn path(&self) -> &str {
        &self.path
    }
}

// === impl Response ===

impl Response {
    /// An empty response with this status.
    pub fn new(status: u16) -> Self {
        Self {
            status,
            message: Message::default(),
            delay: Duration::ZERO,
            cut_off: false,
            hung_up: false,
            pause: None,
            made_up: false,
            details: String::new(),
            grpc_status: None,
        }
    }

    /// Gives it only after some time.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Adds more to the body, which comes only after some time. For a response of the upstream, without trailers.
    #[must_use]
    pub fn and_later(mut self, pause: Duration, rest: impl AsRef<[u8]>) -> Self {
        self.message.body.extend(rest.as_ref());
        self.pause = Some((rest.as_ref().len(), pause));
        self
    }

    /// Breaks the connection off before the end of the body.
    #[must_use]
    pub fn cut_off(mut self) -> Self {
        self.cut_off = true;
        self
    }

    /// No response: the server closes the connection instead.
    pub fn hang_up() -> Self {
        Self { hung_up: true, ..Self::new(0) }
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether it ended as it should: not if the connection broke, or if the body has another length than its head says.
    pub fn is_whole(&self) -> bool {
        !self.message.broken
    }
}

macro_rules! message {
    ($name:ident) => {
        impl $name {
            /// Adds a header, behind those of the same name.
            #[must_use]
            pub fn with_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
                self.message.headers.push((name.to_ascii_lowercase(), value.as_ref().to_vec()));
                self
            }

            /// Sets the body.
            #[must_use]
            pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
                self.message.body = body.into();
                self
            }

            /// Adds a trailer.
            #[must_use]
            pub fn with_trailer(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
                self.message.trailers.push((name.to_ascii_lowercase(), value.as_ref().to_vec()));
                self
            }

            /// All values of a header that are text.
            pub fn headers(&self, name: &str) -> Vec<&str> {
                self.message.all(name).filter_map(|value| std::str::from_utf8(value).ok()).collect()
            }

            /// The first value of a header, if it is text.
            pub fn header(&self, name: &str) -> Option<&str> {
                self.message.all(name).next().and_then(|value| std::str::from_utf8(value).ok())
            }

            /// Fails unless a header has just this one value.
            pub fn expect_header(&self, name: &str, value: &str) {
                let found = self.message.all(name).map(String::from_utf8_lossy).collect::<Vec<_>>();
                assert!(self.message.all(name).eq([value.as_bytes()]), "the header {name} should be {value:?}, and is {found:?} in\n{self:?}");
            }

            /// The first value of a header, as bytes.
            pub fn value(&self, name: &str) -> Option<&[u8]> {
                self.message.all(name).next()
            }

            /// The first value of a trailer, as bytes.
            pub fn trailer_value(&self, name: &str) -> Option<&[u8]> {
                self.message.trailers.iter().find(|(other, _)| other == name).map(|(_, value)| &**value)
            }

            /// The body.
            pub fn bytes(&self) -> &[u8] {
                &self.message.body
            }

            /// The body, which must be text.
            pub fn text(&self) -> &str {
                std::str::from_utf8(&self.message.body).unwrap_or_else(|_| panic!("the body is not text: {self:?}"))
            }
        }
    };
}

message!(Request);
message!(Response);

// === impl Message ===

impl Message {
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let name = name.to_ascii_lowercase();
        self.headers.iter().filter(move |(other, _)| *other == name).map(|(_, value)| &**value)
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.headers {
            writeln!(f, "  {name}: {}", value.escape_ascii())?;
        }
        let start = self.body.get(..200).unwrap_or(&self.body);
        writeln!(f, "  ({} bytes) {}", self.body.len(), start.escape_ascii())?;
        for (name, value) in &self.trailers {
            writeln!(f, "  {name}: {}", value.escape_ascii())?;
        }
        if self.broken { f.write_str("  (broken off)\n") } else { Ok(()) }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {} (to {})", self.method, self.path, self.authority)?;
        self.message.write(f)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.status)?;
        self.message.write(f)
    }
}
