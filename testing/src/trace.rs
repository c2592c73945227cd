//! What a proxy and a module have called of each other, so that two hosts can be held against each other, call by call.
//!
//! The wasm host records it; the real Envoy prints it (`--component-log-level wasm:trace`). It is of the workers: a canary and the main thread are configured at times of their own, and see no stream.

mod envoy;
mod functions;
mod normal;

use std::{collections::BTreeMap, fmt};

pub(crate) use self::envoy::parse;
pub use self::normal::Difference;

/// The calls between a proxy and a module on each worker, in their order. See [`Running::trace`](crate::Running::trace).
#[derive(Clone, Debug, Default)]
pub struct Trace(pub(crate) Vec<Vec<Call>>);

/// A call between a proxy and a module.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Call {
    /// Whether the proxy calls the module; else the module calls the proxy.
    pub into_module: bool,
    /// How many calls it lies in.
    pub depth: usize,
    /// The function: `proxy_on_request_headers`, `proxy_log`, `fd_write`.
    pub name: String,
    /// As they were passed, pointers among them.
    pub arguments: Vec<u64>,
    /// What came of it.
    pub result: Returned,
    /// How many bytes the module had to make room for, to be given them.
    pub given: u64,
    /// Of `proxy_log`, what was logged.
    pub logged: String,
}

/// What came of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Returned {
    /// It did not return: the module trapped.
    Never,
    /// It returned nothing.
    Nothing,
    /// It returned a number: of a host function its status.
    Number(u32),
}

/// Calls while they are made, on one worker.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recording {
    calls: Vec<Call>,
    /// The calls that have not returned, by their places.
    open: Vec<usize>,
}

/// What the workers of a model have recorded.
pub(crate) type Recordings = BTreeMap<u32, Recording>;

// === impl Trace ===

impl Trace {
    pub(crate) fn of(recordings: &Recordings) -> Self {
        Self(recordings.values().map(|recording| recording.calls.clone()).collect())
    }

    /// All calls, worker by worker.
    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        self.0.iter().flatten()
    }
}

// === impl Recording ===

impl Recording {
    pub(crate) fn begin(&mut self, into_module: bool, name: &str, arguments: Vec<u64>) {
        let call =
            Call { into_module, depth: self.open.len(), name: name.to_owned(), arguments, result: Returned::Never, given: 0, logged: String::new() };
        self.open.push(self.calls.len());
        self.calls.push(call);
    }

    pub(crate) fn end(&mut self, result: Returned) {
        if let Some(at) = self.open.pop() {
            self.calls[at].result = result;
        }
    }

    /// The innermost call that has not returned.
    pub(crate) fn innermost(&mut self) -> Option<&mut Call> {
        self.open.last().map(|at| &mut self.calls[*at])
    }

    /// The module has trapped: what is open does not return.
    pub(crate) fn trapped(&mut self) {
        self.open.clear();
    }
}

impl fmt::Display for Returned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("traps"),
            Self::Nothing => f.write_str("()"),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}
