//! One key of the shared data, by bytes.

use std::{borrow::Cow, num::NonZeroU32};

use super::{SharedError, StoredError};
use crate::{
    abi::{self, Status},
    error::HostError,
};

/// A number for the first write of a key. Any that is not 0 creates a key that is not there, and is refused for one that is there and was not last changed by the change of this number. The proxy
/// counts changes from 1 up, all keys together: the last number is the one that a process reaches, if ever, for one change in four billion.
const FIRST: NonZeroU32 = NonZeroU32::MAX;

/// A key, and how often changes of its value are tried.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) name: Cow<'static, str>,
    pub(super) attempts: u32,
}

/// What a closure makes of a value: `R` is for its caller.
pub(super) enum Change<R> {
    Write(Vec<u8>, R),
    Leave(R),
}

// === impl Key ===

impl Key {
    pub(super) fn new(name: Cow<'static, str>) -> Self {
        Self { name, attempts: super::ATTEMPTS }
    }

    /// The bytes, and the number of their last change.
    pub(super) fn read(&self) -> Result<Option<(Vec<u8>, NonZeroU32)>, SharedError> {
        match abi::shared_data(self.name.as_bytes()) {
            // A write with 0 would be one without a comparison, so a value with that number is one that cannot be updated.
            Ok((bytes, cas)) => match NonZeroU32::new(cas) {
                Some(cas) => Ok(Some((bytes, cas))),
                None => Err(HostError::new("read shared data", Status::RESULT_MISMATCH).into()),
            },
            Err(Status::NOT_FOUND) => Ok(None),
            Err(status) => Err(HostError::new("read shared data", status).into()),
        }
    }

    /// Writes, whatever others do.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<(), SharedError> {
        abi::set_shared_data(self.name.as_bytes(), bytes, 0).map_err(|status| HostError::new("set shared data", status).into())
    }

    /// Writes, if there is no value yet; whether there was none.
    pub(super) fn create(&self, bytes: &[u8]) -> Result<bool, SharedError> {
        // Asked first: a value that has been there for long may have any number, also FIRST.
        if self.read()?.is_some() { Ok(false) } else { self.write_if(bytes, FIRST) }
    }

    /// Writes, if nobody else did since the change of this number; whether nobody did.
    fn write_if(&self, bytes: &[u8], cas: NonZeroU32) -> Result<bool, SharedError> {
        match abi::set_shared_data(self.name.as_bytes(), bytes, cas.get()) {
            Ok(()) => Ok(true),
            Err(Status::CAS_MISMATCH) => Ok(false),
            Err(status) => Err(HostError::new("change shared data", status).into()),
        }
    }

    /// Reads, changes and writes, and does so again if somebody else wrote in between.
    pub(super) fn change<R>(&self, mut change: impl FnMut(Option<Vec<u8>>) -> Result<Change<R>, SharedError>) -> Result<R, SharedError> {
        for _ in 0..self.attempts {
            let (bytes, cas) = match self.read()? {
                Some((bytes, cas)) => (Some(bytes), cas),
                None => (None, FIRST),
            };
            match change(bytes)? {
                Change::Leave(result) => return Ok(result),
                Change::Write(bytes, result) => {
                    if self.write_if(&bytes, cas)? {
                        return Ok(result);
                    }
                }
            }
        }
        Err(SharedError::Contended { key: self.name.clone().into_owned(), attempts: self.attempts })
    }

    #[cold]
    pub(super) fn not_decoded(&self, cause: StoredError) -> SharedError {
        SharedError::Decode { key: self.name.clone().into_owned(), cause }
    }

    #[cold]
    pub(super) fn not_encoded(&self, cause: StoredError) -> SharedError {
        SharedError::Encode { key: self.name.clone().into_owned(), cause }
    }
}
