//! What is kept of each call, for a test that asked for it.

use super::{super::state::Thread, Calls};
use crate::trace::{Recording, Returned};

impl Calls {
    /// Whether calls are kept.
    pub(crate) fn traced(&self) -> bool {
        self.with(|state| state.around.traced)
    }

    /// A call begins: of the module, or of the proxy.
    pub(crate) fn begin(&self, into_module: bool, name: &str, arguments: Vec<u64>) {
        self.record(|recording| recording.begin(into_module, name, arguments));
    }

    /// The innermost call has returned.
    pub(crate) fn end(&self, result: Returned) {
        self.record(|recording| recording.end(result));
    }

    /// The module has trapped.
    pub(crate) fn trapped(&self) {
        self.record(Recording::trapped);
    }

    /// The innermost call has given the module so many bytes.
    pub(crate) fn gave(&self, size: usize) {
        self.record(|recording| {
            if let Some(call) = recording.innermost() {
                call.given += size as u64;
            }
        });
    }

    /// The innermost call has logged this.
    pub(super) fn logged(&self, text: &[u8]) {
        self.record(|recording| {
            if let Some(call) = recording.innermost() {
                call.logged = String::from_utf8_lossy(text).into_owned();
            }
        });
    }

    fn record(&self, act: impl FnOnce(&mut Recording)) {
        self.with(|state| {
            if let (true, Thread::Worker(worker)) = (state.around.traced, state.vms[self.vm].thread) {
                act(state.recordings.entry(worker).or_default());
            }
        });
    }
}
