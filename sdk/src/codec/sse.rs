//! [Server-sent events](https://html.spec.whatwg.org/multipage/server-sent-events.html), the format `text/event-stream`.
//!
//! # Examples
//!
//! ```
//! use inproxy::codec::sse::Decoder;
//!
//! # fn main() -> inproxy::Result<()> {
//! let mut decoder = Decoder::new(64 * 1024);
//! let mut out = Vec::new();
//! for piece in ["event: token\ndata: sec", "ret\n\ndata: [DONE]\n\n"] {
//!     for mut event in decoder.push(piece.as_bytes())? {
//!         event.data = event.data.map(|data| data.replace("secret", "…"));
//!         out.extend(event.encode());
//!     }
//! }
//! assert_eq!(String::from_utf8_lossy(&out), "event: token\ndata: …\n\ndata: [DONE]\n\n");
//! # Ok(())
//! # }
//! ```

use std::time::Duration;

use super::{CodecError, first_what_came};

/// Reads the events of a body.
///
/// Bytes that are not UTF-8 become U+FFFD, as in a browser. Comments and unknown fields are left out.
#[derive(Clone, Debug)]
pub struct Decoder {
    limit: usize,
    /// What has come of a line, without its end.
    line: Vec<u8>,
    /// What the lines so far have made of the event.
    event: Event,
    /// The last byte was a carriage return: a line feed belongs to it.
    after_return: bool,
    /// No line has ended yet: there may be a byte order mark.
    at_start: bool,
    failed: Option<CodecError>,
}

/// One event: what stands between two empty lines, if a field is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// Its type; `None` if it has none, and is a "message".
    pub event: Option<String>,
    /// Its data, in which a line feed separates what stood in lines of their own. `None` if it has no such line: clients then take note of `id` and `retry`, and tell nobody.
    pub data: Option<String>,
    /// What clients are to send as `Last-Event-ID` when they connect anew; an empty one takes back the former.
    pub id: Option<String>,
    /// How long clients are to wait until they do. In whole milliseconds.
    pub retry: Option<Duration>,
}

// === impl Decoder ===

impl Decoder {
    const BYTE_ORDER_MARK: &'static [u8] = b"\xef\xbb\xbf";

    /// A decoder for events of which up to `limit` bytes are kept: what their fields have, and a line that has not ended yet.
    pub fn new(limit: usize) -> Self {
        Self { limit, line: Vec::new(), event: Event::default(), after_return: false, at_start: true, failed: None }
    }

    /// Takes the next piece of a body; the events that it completes.
    ///
    /// # Errors
    ///
    /// [`CodecError::TooLong`] if an event is. Events before it are returned first, and the error by the next call.
    pub fn push(&mut self, piece: &[u8]) -> Result<Vec<Event>, CodecError> {
        let mut events = Vec::new();
        let mut rest = piece;
        while let (None, Some(first)) = (self.failed, rest.first()) {
            if std::mem::take(&mut self.after_return) && *first == b'\n' {
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
            let (part, behind) = rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or((rest, &[]));
            if !self.keep(part) {
                break;
            }
            if let Some((end, behind)) = behind.split_first() {
                self.after_return = *end == b'\r';
                events.extend(self.end_line());
                rest = behind;
            } else {
                break;
            }
        }
        first_what_came(events, self.failed)
    }

    /// Ends the body; the event that it broke off in. Clients that go by the standard drop it; some servers leave out the empty line behind their last event.
    ///
    /// # Errors
    ///
    /// [`CodecError::TooLong`] if it came, and was not returned yet.
    pub fn finish(mut self) -> Result<Option<Event>, CodecError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if !self.line.is_empty() {
            self.end_line();
        }
        match self.failed {
            Some(error) => Err(error),
            None => Ok(self.take_event()),
        }
    }

    /// Adds to the line; false if the event is too long.
    fn keep(&mut self, part: &[u8]) -> bool {
        if self.line.len() + part.len() + self.event.size() > self.limit {
            self.fail();
            return false;
        }
        self.line.extend_from_slice(part);
        true
    }

    fn fail(&mut self) {
        self.failed = Some(CodecError::TooLong { what: "an event", limit: self.limit });
        (self.line, self.event) = (Vec::new(), Event::default());
    }

    /// The line has ended; the event, if this ends one.
    fn end_line(&mut self) -> Option<Event> {
        let mut line = std::mem::take(&mut self.line);
        let mut text = &*line;
        if std::mem::take(&mut self.at_start) {
            text = text.strip_prefix(Self::BYTE_ORDER_MARK).unwrap_or(text);
        }
        if text.is_empty() {
            return self.take_event();
        }
        self.event.read(text);
        // Its memory serves the next one.
        line.clear();
        self.line = line;
        // What is not UTF-8 has become longer.
        if self.event.size() > self.limit {
            self.fail();
        }
        None
    }

    fn take_event(&mut self) -> Option<Event> {
        let event = std::mem::take(&mut self.event);
        (event != Event::default()).then_some(event)
    }
}

// === impl Event ===

impl Event {
    /// A message with this data.
    pub fn message(data: impl Into<String>) -> Self {
        Self { data: Some(data.into()), ..Self::default() }
    }

    /// As it is sent, with the empty line behind it; nothing if it has no field.
    ///
    /// Line ends in `data` (LF, CR, CRLF) become lines of their own, and arrive as line feeds. Where a line end would end the field, in `event` and `id`, it is left out, and so is NUL in `id`, with which clients do not take it.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.size() + 32);
        if let Some(event) = &self.event {
            field(&mut out, "event", event, |byte| matches!(byte, b'\r' | b'\n'));
        }
        if let Some(data) = &self.data {
            let mut rest = &**data;
            loop {
                let end = rest.find(['\r', '\n']).unwrap_or(rest.len());
                let (line, behind) = rest.split_at_checked(end).unwrap_or((rest, ""));
                field(&mut out, "data", line, |_| false);
                match behind.strip_prefix("\r\n").or_else(|| behind.strip_prefix(['\r', '\n'])) {
                    Some(behind) => rest = behind,
                    None => break,
                }
            }
        }
        if let Some(id) = &self.id {
            field(&mut out, "id", id, |byte| matches!(byte, b'\r' | b'\n' | b'\0'));
        }
        if let Some(retry) = self.retry {
            field(&mut out, "retry", &retry.as_millis().to_string(), |_| false);
        }
        if !out.is_empty() {
            out.push(b'\n');
        }
        out
    }

    /// How many bytes it keeps.
    fn size(&self) -> usize {
        [&self.event, &self.data, &self.id].into_iter().flatten().map(String::len).sum()
    }

    /// Takes up a line that is not empty.
    fn read(&mut self, line: &[u8]) {
        let colon = line.iter().position(|byte| *byte == b':');
        let (name, value) = line.split_at_checked(colon.unwrap_or(line.len())).unwrap_or((line, &[]));
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match name {
            b"event" => self.event = Some(text(value)).filter(|event| !event.is_empty()),
            b"data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(&String::from_utf8_lossy(value));
                }
                None => self.data = Some(text(value)),
            },
            b"id" if !value.contains(&0) => self.id = Some(text(value)),
            b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                self.retry = text(value).parse().ok().map(Duration::from_millis).or(self.retry);
            }
            // A comment, which has no name, or a field that nobody knows.
            _ => {}
        }
    }
}

fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}

/// Writes a line, without the bytes that cannot stand in it.
fn field(out: &mut Vec<u8>, name: &str, value: &str, left_out: impl Fn(&u8) -> bool) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend(value.bytes().filter(|byte| !left_out(byte)));
    out.push(b'\n');
}

#[cfg(test)]
mod tests;
