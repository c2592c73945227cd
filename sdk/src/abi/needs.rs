//! What tells a tool which callbacks a module needs, so that it can take the others out (`cargo inproxy build` does).
//!
//! It cannot be read off the module's exports, all of which `proxy-wasm` always has. So whatever needs a callback leaves its name in the module's data, and is itself in the module only if the filter uses it.

/// Leaves the names of callbacks, without `proxy_on_`, in the data of a module that this code is in.
macro_rules! needs {
    ($($callback:literal),+) => {
        let _ = ::core::hint::black_box(::core::concat!("\u{1e}inproxy-needs", $("\u{1f}", $callback),+, "\u{1e}"));
    };
}

pub(crate) use needs;

/// Whether the callbacks of a response's body are there. A tool that takes them out says so here.
///
/// Without them a response must not be held: with `allow_on_headers_stop_iteration` its body would take the headers along.
pub(crate) fn response_body_is_there() -> bool {
    const WORD: usize = "\u{1e}inproxy-response-body\u{1f}".len();
    static MARK: [u8; 28] = *b"\x1einproxy-response-body\x1fkept\x1e";
    core::hint::black_box(&MARK).get(WORD) == Some(&b'k')
}
