//! The fuzzer's input as a script: whatever a proxy, its host functions and a filter choose is its next byte.

use std::cell::{Cell, RefCell};

use inproxy::abi::Status;

/// A script, and how far it has come.
#[derive(Default)]
pub(crate) struct Script {
    bytes: RefCell<Vec<u8>>,
    at: Cell<usize>,
    refused: Cell<bool>,
}

// === impl Script ===

impl Script {
    pub(crate) fn begin(&self, bytes: &[u8]) {
        self.bytes.replace(bytes.to_vec());
        self.at.set(0);
        self.refused.set(false);
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.at.get() >= self.bytes.borrow().len()
    }

    /// The next byte, and zeros for ever behind the last.
    pub(crate) fn byte(&self) -> u8 {
        self.at.set(self.at.get() + 1);
        self.bytes.borrow().get(self.at.get() - 1).copied().unwrap_or(0)
    }

    pub(crate) fn choose(&self, below: u8) -> u8 {
        if below == 0 { 0 } else { self.byte() % below }
    }

    /// Some bytes, but not many.
    pub(crate) fn some_bytes(&self) -> Vec<u8> {
        (0..self.choose(64)).map(|_| self.byte()).collect()
    }

    /// Whether the next host call is refused.
    pub(crate) fn refuses(&self) -> Result<(), Status> {
        match self.byte() {
            refused @ 1..=24 => {
                self.refused.set(true);
                Err(Status::from_raw(u32::from(refused)))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn status(&self) -> Status {
        self.refuses().err().unwrap_or(Status::OK)
    }

    /// Something was refused, so that something may wait for ever.
    pub(crate) fn has_refused(&self) -> bool {
        self.refused.get()
    }
}
