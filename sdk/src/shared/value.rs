use std::{borrow::Cow, fmt, marker::PhantomData};

use super::{
    SharedError, Stored,
    key::{Change, Key},
};

/// A value that all workers share, under a key.
///
/// This is only the key: nothing is read or written until it is asked for, and each method asks the proxy (about a microsecond, and a copy of the value).
///
/// # Examples
///
/// Only one worker does what one must do:
///
/// ```no_run
/// # use inproxy::log;
/// # use inproxy::prelude::*;
/// use inproxy::shared::Shared;
///
/// # fn example() -> Result<()> {
/// let announced = Shared::<String>::new("mesh/announced-by");
/// if announced.create(&"this worker".to_owned())? {
///     log::info!("the first to come here");
/// }
/// # Ok(())
/// # }
/// ```
///
/// The largest value that any worker has seen:
///
/// ```no_run
/// # use inproxy::prelude::*;
/// use inproxy::shared::Shared;
///
/// # fn example(size: u64) -> Result<()> {
/// let largest = Shared::<u64>::new("sizes/largest");
/// largest.try_update(|largest| (size > largest.unwrap_or(0)).then_some(size))?;
/// # Ok(())
/// # }
/// ```
pub struct Shared<T> {
    key: Key,
    value: PhantomData<fn(T) -> T>,
}

// === impl Shared ===

impl<T: Stored> Shared<T> {
    /// The value under a key. Filters with the same `vm_id` share all keys: begin with the filter's name.
    pub fn new(key: impl Into<Cow<'static, str>>) -> Self {
        Self { key: Key::new(key.into()), value: PhantomData }
    }

    /// How often [`update`](Self::update) and [`try_update`](Self::try_update) try: [`ATTEMPTS`](super::ATTEMPTS) times unless set, at least once.
    #[must_use]
    pub fn with_attempts(mut self, attempts: u32) -> Self {
        self.key.attempts = attempts.max(1);
        self
    }

    /// The key.
    pub fn key(&self) -> &str {
        &self.key.name
    }

    /// The value; `None` if nobody has written one yet.
    ///
    /// # Errors
    ///
    /// [`SharedError::Decode`] if what is there is not a `T`; [`SharedError::Host`].
    pub fn get(&self) -> Result<Option<T>, SharedError> {
        self.key.read()?.map(|(bytes, _)| self.decode(bytes)).transpose()
    }

    /// Sets the value, whatever it is and whoever else changes it: to change it depending on what it is, [`update`](Self::update) it.
    ///
    /// # Errors
    ///
    /// [`SharedError::Encode`], [`SharedError::Host`].
    pub fn set(&self, value: &T) -> Result<(), SharedError> {
        self.key.write(&self.encode(value)?)
    }

    /// Sets the value if there is none; whether there was none. Of all workers that try, one gets `true`.
    ///
    /// # Errors
    ///
    /// [`SharedError::Encode`], [`SharedError::Host`].
    pub fn create(&self, value: &T) -> Result<bool, SharedError> {
        self.key.create(&self.encode(value)?)
    }

    /// Changes the value from what it is, or from `None` if there is none; the new value.
    ///
    /// If another worker changes it meanwhile, `change` is called again with that worker's value: let it do nothing but compute.
    ///
    /// # Errors
    ///
    /// [`SharedError::Contended`] if others were first each time; [`SharedError::Decode`], [`SharedError::Encode`], [`SharedError::Host`]. The value is then as it was.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use inproxy::prelude::*;
    /// # use inproxy::shared::Shared;
    /// # fn example() -> Result<()> {
    /// let names = Shared::<String>::new("mesh/names");
    /// names.update(|names| names.map_or("a".to_owned(), |names| names + ",a"))?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn update(&self, mut change: impl FnMut(Option<T>) -> T) -> Result<T, SharedError> {
        self.key.change(|bytes| {
            let new = change(self.decode_if(bytes)?);
            Ok(Change::Write(self.encode(&new)?.into_owned(), new))
        })
    }

    /// As [`update`](Self::update), but `change` may return `None`: then nothing is written, and `None` is the result.
    ///
    /// # Errors
    ///
    /// As those of [`update`](Self::update).
    pub fn try_update(&self, mut change: impl FnMut(Option<T>) -> Option<T>) -> Result<Option<T>, SharedError> {
        self.key.change(|bytes| match change(self.decode_if(bytes)?) {
            Some(new) => Ok(Change::Write(self.encode(&new)?.into_owned(), Some(new))),
            None => Ok(Change::Leave(None)),
        })
    }

    fn decode(&self, bytes: Vec<u8>) -> Result<T, SharedError> {
        T::decode(Cow::Owned(bytes)).map_err(|cause| self.key.not_decoded(cause))
    }

    fn decode_if(&self, bytes: Option<Vec<u8>>) -> Result<Option<T>, SharedError> {
        bytes.map(|bytes| self.decode(bytes)).transpose()
    }

    fn encode<'a>(&self, value: &'a T) -> Result<Cow<'a, [u8]>, SharedError> {
        value.encode().map_err(|cause| self.key.not_encoded(cause))
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self { key: self.key.clone(), value: PhantomData }
    }
}

impl<T> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shared").field(&self.key.name).finish()
    }
}
