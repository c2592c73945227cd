//! Body buffers of the proxy.

use std::{marker::PhantomData, ops::Range};

use crate::{
    abi::{self, BufferType},
    error::{HostError, Result},
};

/// The part of a body that the proxy holds during a callback.
#[derive(Debug)]
pub struct BodyBuffer<'a> {
    buffer: BufferType,
    size: usize,
    callback: PhantomData<&'a mut ()>,
}

// === impl BodyBuffer ===

impl BodyBuffer<'_> {
    pub(crate) const fn new(buffer: BufferType, size: usize) -> Self {
        Self { buffer, size, callback: PhantomData }
    }

    /// How many bytes it holds.
    pub const fn len(&self) -> usize {
        self.size
    }

    /// Whether it holds nothing.
    pub const fn is_empty(&self) -> bool {
        self.size == 0
    }

    /// A copy of all bytes.
    ///
    /// # Errors
    ///
    /// [`HostError`] if the proxy refuses.
    pub fn read(&self) -> Result<Vec<u8>> {
        self.read_range(0..self.size)
    }

    /// A copy of those bytes of `range` that are there: to look at a few without copying all.
    ///
    /// # Errors
    ///
    /// [`HostError`] if the proxy refuses.
    ///
    /// # Examples
    ///
    /// ```
    /// use inproxy::{hooks::RequestBody, prelude::*};
    ///
    /// /// Whether a message of gRPC is compressed.
    /// fn is_compressed(mut body: RequestBody<'_>) -> Result<bool> {
    ///     Ok(body.buffer().read_range(0..5)?.first() == Some(&1))
    /// }
    /// ```
    pub fn read_range(&self, range: Range<usize>) -> Result<Vec<u8>> {
        let end = range.end.min(self.size);
        if range.start >= end {
            return Ok(Vec::new());
        }
        abi::buffer(self.buffer, range.start, end - range.start).map_err(|status| HostError::new("read a body", status).into())
    }

    /// Puts `bytes` before the others. `content-length` stays as it is: see [`HttpHooks`](crate::hooks::HttpHooks).
    ///
    /// # Errors
    ///
    /// [`HostError`] if the proxy refuses, as it does where there is no body.
    pub fn prepend(&mut self, bytes: &[u8]) -> Result<()> {
        self.splice(0, bytes)
    }

    /// Puts `bytes` behind the others. `content-length` stays as it is: see [`HttpHooks`](crate::hooks::HttpHooks).
    ///
    /// # Errors
    ///
    /// [`HostError`] if the proxy refuses, as it does where there is no body.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        abi::replace_buffer(self.buffer, self.size, 0, bytes).map_err(|status| HostError::new("append to a body", status))?;
        self.size += bytes.len();
        Ok(())
    }

    /// Takes the first `count` bytes away, or all if there are fewer. `content-length` stays as it is: see [`HttpHooks`](crate::hooks::HttpHooks).
    ///
    /// # Errors
    ///
    /// [`HostError`] if the proxy refuses, as it does where there is no body.
    pub fn drain(&mut self, count: usize) -> Result<()> {
        self.splice(count.min(self.size), &[])
    }

    /// Puts `bytes` in the place of the first `count`.
    fn splice(&mut self, count: usize, bytes: &[u8]) -> Result<()> {
        abi::replace_buffer(self.buffer, 0, count, bytes).map_err(|status| HostError::new("change a body", status))?;
        self.size = self.size - count + bytes.len();
        Ok(())
    }

    /// Puts `bytes` in the place of all bytes. `content-length` stays as it is: see [`HttpHooks`](crate::hooks::HttpHooks).
    ///
    /// # Errors
    ///
    /// [`HostError`] if the proxy refuses, as it does where there is no body.
    pub fn replace(&mut self, bytes: &[u8]) -> Result<()> {
        abi::replace_buffer(self.buffer, 0, self.size, bytes).map_err(|status| HostError::new("replace a body", status))?;
        self.size = bytes.len();
        Ok(())
    }
}
