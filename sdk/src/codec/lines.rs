//! Lines, and JSON values of which each has a line ([NDJSON](https://github.com/ndjson/ndjson-spec), JSON Lines).
//!
//! # Examples
//!
//! ```
//! use inproxy::codec::lines::Decoder;
//!
//! # fn main() -> inproxy::Result<()> {
//! let mut decoder = Decoder::new(64 * 1024);
//! let mut tokens = 0;
//! for piece in ["{\"tokens\": 1}\n{\"tok", "ens\": 2}\r\n\n{\"tokens\": 3}"] {
//!     for line in decoder.push(piece.as_bytes())? {
//!         if !line.is_blank() {
//!             tokens += line.json::<serde_json::Value>()?["tokens"].as_u64().unwrap_or(0);
//!         }
//!     }
//! }
//! assert_eq!(tokens, 3);
//! // The last line has no end: whether it counts is the filter's decision.
//! assert_eq!(decoder.finish()?.unwrap().as_bytes(), b"{\"tokens\": 3}");
//! # Ok(())
//! # }
//! ```

use serde::de::DeserializeOwned;

use super::{CodecError, first_what_came};

/// Cuts a body into lines, whose ends are LF or CRLF.
#[derive(Clone, Debug)]
pub struct Decoder {
    limit: usize,
    /// What has come of a line, without its end.
    line: Vec<u8>,
    failed: Option<CodecError>,
}

/// A line, without its end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Line(Vec<u8>);

// === impl Decoder ===

impl Decoder {
    /// A decoder for lines of up to `limit` bytes, without their ends.
    pub fn new(limit: usize) -> Self {
        Self { limit, line: Vec::new(), failed: None }
    }

    /// Takes the next piece of a body; the lines that it completes, empty ones among them.
    ///
    /// # Errors
    ///
    /// [`CodecError::TooLong`] if a line is. Lines before it are returned first, and the error by the next call.
    pub fn push(&mut self, piece: &[u8]) -> Result<Vec<Line>, CodecError> {
        let mut lines = Vec::new();
        let mut rest = piece;
        while self.failed.is_none() && !rest.is_empty() {
            let end = rest.iter().position(|byte| *byte == b'\n');
            let (part, behind) = rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or((rest, &[]));
            if !self.keep(part) {
                break;
            }
            if end.is_some() {
                lines.push(self.take());
            }
            rest = behind.get(1..).unwrap_or_default();
        }
        first_what_came(lines, self.failed)
    }

    /// Ends the body; what came behind the last end of a line.
    ///
    /// # Errors
    ///
    /// [`CodecError::TooLong`] if it came, and was not returned yet.
    pub fn finish(mut self) -> Result<Option<Line>, CodecError> {
        match self.failed {
            Some(error) => Err(error),
            None if self.line.is_empty() => Ok(None),
            None => Ok(Some(self.take())),
        }
    }

    /// Adds to the line; false if it is too long.
    fn keep(&mut self, part: &[u8]) -> bool {
        // A carriage return at the end may be half of the line's.
        let last = part.last().or(self.line.last());
        let length = self.line.len() + part.len() - usize::from(last == Some(&b'\r'));
        if length > self.limit {
            self.failed = Some(CodecError::TooLong { what: "a line", limit: self.limit });
            self.line = Vec::new();
            return false;
        }
        self.line.extend_from_slice(part);
        true
    }

    fn take(&mut self) -> Line {
        let mut line = std::mem::take(&mut self.line);
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Line(line)
    }
}

// === impl Line ===

impl Line {
    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Its bytes, without a copy.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Whether it has nothing but white space, which is no JSON value.
    pub fn is_blank(&self) -> bool {
        self.0.trim_ascii().is_empty()
    }

    /// The JSON value that it is.
    ///
    /// # Errors
    ///
    /// If it is none, or not a `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All lines, then either what is left or the error.
    type Decoded = (Vec<String>, Result<Option<String>, CodecError>);

    fn text(line: Line) -> String {
        line.as_bytes().escape_ascii().to_string()
    }

    fn decode<'a>(limit: usize, pieces: impl IntoIterator<Item = &'a [u8]>) -> Decoded {
        let mut decoder = Decoder::new(limit);
        let mut lines = Vec::new();
        for piece in pieces {
            match decoder.push(piece) {
                Ok(some) => lines.extend(some.into_iter().map(text)),
                Err(error) => return (lines, Err(error)),
            }
        }
        (lines, decoder.finish().map(|line| line.map(text)))
    }

    const TOO_LONG: CodecError = CodecError::TooLong { what: "a line", limit: 4 };

    #[test]
    fn lines_are_what_the_table_says_however_they_are_cut() {
        let left = |text: &str| Ok(Some(text.to_owned()));
        for (bytes, lines, rest) in [
            (&b""[..], &[][..], Ok(None)),
            (b"\n", &[""], Ok(None)),
            (b"a\nb\n", &["a", "b"], Ok(None)),
            (b"a\r\nb\r\n", &["a", "b"], Ok(None)),
            (b"a\n\r\n\nb", &["a", "", ""], left("b")),
            (b"a\rb\n", &["a\\rb"], Ok(None)),
            (b"a\r\r\n", &["a\\r"], Ok(None)),
            (b"a\r", &[], left("a")),
            (b"\r", &[], left("")),
            (b"1234\n1234", &["1234"], left("1234")),
            (b"1234\r\n", &["1234"], Ok(None)),
            (b"1\n12345\n", &["1"], Err(TOO_LONG)),
            (b"12345", &[], Err(TOO_LONG)),
            (b"1234\rx\n", &[], Err(TOO_LONG)),
            (b"\xff\x00\n", &["\\xff\\x00"], Ok(None)),
        ] {
            let expected = (lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>(), rest);
            assert_eq!(decode(4, [bytes]), expected, "{}", bytes.escape_ascii());
            assert_eq!(decode(4, bytes.chunks(1)), expected, "{} byte by byte", bytes.escape_ascii());
            for cut in 0..=bytes.len() {
                let (one, other) = bytes.split_at(cut);
                assert_eq!(decode(4, [one, other]), expected, "{} cut at {cut}", bytes.escape_ascii());
                for second in 0..=other.len() {
                    let (other, last) = other.split_at(second);
                    assert_eq!(decode(4, [one, other, last]), expected, "{} cut at {cut} and {second} behind", bytes.escape_ascii());
                }
            }
        }
    }

    #[test]
    fn an_error_stays() {
        let mut decoder = Decoder::new(4);
        assert_eq!(decoder.push(b"a\n12345\nb\n").unwrap().len(), 1);
        for _ in 0..2 {
            assert_eq!(decoder.push(b"b\n"), Err(TOO_LONG));
        }
        assert_eq!(decoder.finish().unwrap_err().to_string(), "a line has more than 4 bytes");
    }

    #[test]
    fn a_line_may_be_json() {
        let line = Line(b" [1, 2] ".to_vec());
        assert_eq!(line.json::<Vec<u32>>().unwrap(), [1, 2]);
        assert!(line.json::<u32>().is_err() && Line::default().json::<u32>().is_err());
        assert!(Line(b" \t".to_vec()).is_blank() && !line.is_blank());
    }
}
