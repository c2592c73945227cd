/// What can be there in a phase: to tell what is missing from what is asked for at the wrong time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct There {
    request_headers: bool,
    response: bool,
    over: bool,
}

// === impl There ===

impl There {
    /// The request's headers are held.
    pub(crate) const REQUEST_HEADERS: Self = Self { request_headers: true, response: false, over: false };
    /// The request's headers went on.
    pub(crate) const REQUEST: Self = Self { request_headers: false, response: false, over: false };
    /// The response has come.
    pub(crate) const RESPONSE: Self = Self { request_headers: false, response: true, over: false };
    /// A call-out was answered, and the stream may be anywhere.
    pub(crate) const ANYWHERE: Self = Self { request_headers: true, response: true, over: false };
    /// The stream is over.
    pub(crate) const OVER: Self = Self { request_headers: true, response: true, over: true };

    /// Whether an attribute can be there at all.
    pub(super) fn can_have(self, path: &str) -> bool {
        let mut segments = path.split('\0');
        match (segments.next().unwrap_or_default(), segments.next().unwrap_or_default()) {
            ("request", "duration") => self.over,
            ("request", "time" | "protocol" | "headers_bytes" | "size" | "total_size") => true,
            ("request", _) => self.request_headers,
            ("response" | "upstream" | "upstream_filter_state", _) => self.response,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told_from_what_is_asked_for_at_the_wrong_time() {
        let phases = [There::REQUEST_HEADERS, There::REQUEST, There::RESPONSE, There::OVER];
        for (path, can_be) in [
            ("request\0path", [true, false, false, true]),
            ("request\0headers\0x", [true, false, false, true]),
            ("request\0time", [true; 4]),
            ("request\0total_size", [true; 4]),
            ("request\0duration", [false, false, false, true]),
            ("response\0code", [false, false, true, true]),
            ("upstream\0address", [false, false, true, true]),
            ("upstream_filter_state\0x", [false, false, true, true]),
            ("source\0address", [true; 4]),
            ("metadata\0filter_metadata\0response\0x", [true; 4]),
            ("", [true; 4]),
        ] {
            assert_eq!(phases.map(|phase| phase.can_have(path)), can_be, "{path:?}");
        }
    }
}
