use super::{Slots, StoredError};
use crate::error::{HostError, Quoted, debug_as_display};

/// Shared data cannot be read or changed.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum SharedError {
    /// What is stored is not a value of this type: another filter uses the key, or an earlier version of this one did.
    #[error("what is shared as {} cannot be read: {cause}", Quoted(key))]
    Decode {
        /// The key.
        key: String,
        /// What is wrong with the bytes.
        cause: StoredError,
    },
    /// The new value has no bytes that could be stored. Nothing was changed.
    #[error("the new value of {} cannot be stored: {cause}", Quoted(key))]
    Encode {
        /// The key.
        key: String,
        /// What is wrong with the value.
        cause: StoredError,
    },
    /// Others changed the value at each attempt. Nothing was changed by this one.
    #[error("{} was not changed: at each of {attempts} attempts another worker was first", Quoted(key))]
    Contended {
        /// The key.
        key: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// All entries of the slot are in use by other keys. Nothing was changed.
    #[error("{} was not changed: its {ways} entries are in use by other keys", Quoted(slot))]
    Full {
        /// The shared key of the slot.
        slot: String,
        /// How many entries a slot has.
        ways: u8,
    },
    /// A key of a table is longer than a slot takes. Nothing was changed.
    #[error("a key of {length} bytes is too long for a table: it takes up to {}", Slots::<u64>::LONGEST_KEY)]
    KeyTooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// What is stored is not a slot of a table: something else uses the key. It stays as it is.
    #[error("what is shared as {} is not a slot of a table: {reason}", Quoted(slot))]
    Corrupt {
        /// The shared key of the slot.
        slot: String,
        /// What is wrong with the bytes.
        reason: &'static str,
    },
    /// The proxy refused.
    #[error(transparent)]
    Host(#[from] HostError),
}

debug_as_display!(SharedError);
