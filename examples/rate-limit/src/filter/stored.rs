//! Counts have bytes, so that all workers can share them.

use std::borrow::Cow;

use inproxy::shared::{Stored, StoredError};
use prost::Message;

/// A message that is shared.
#[derive(Debug)]
pub(crate) struct Shared<M>(pub(crate) M);

impl<M: Message + Default> Stored for Shared<M> {
    fn encode(&self) -> Result<Cow<'_, [u8]>, StoredError> {
        Ok(self.0.encode_to_vec().into())
    }

    fn decode(bytes: Cow<'_, [u8]>) -> Result<Self, StoredError> {
        M::decode(&*bytes).map(Self).map_err(StoredError::new)
    }
}
