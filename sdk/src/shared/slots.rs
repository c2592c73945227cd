use std::{
    borrow::Cow,
    fmt,
    hash::Hasher,
    marker::PhantomData,
    time::{Duration, SystemTime},
};

use siphasher::sip::SipHasher13;

use super::{
    SharedError, Stored, StoredError,
    entries::{self, Entries, Entry},
    key::{Change, Key},
};

/// A table that all workers share: a value for each key, until a time, in bounded memory. For keys whose number nobody knows, such as clients.
///
/// The proxy's shared data can only grow. So a table has a fixed number of slots, each of which is a key of the shared data, `<name>/<index>`. A hash says which slot a key of the table is in, and a slot has eight
/// entries unless set otherwise. An entry whose time is over counts as not there, and makes room for others; the time is given with each call, so that a test can set it; a filter asks
/// [`time::now`](crate::time::now).
///
/// A value whose time is not over is never dropped to make room for another: a client that has used up its limit would get it anew. When all entries of a slot are in use by other keys, a change is
/// [`SharedError::Full`], and the filter decides. Give a table many more entries than keys are expected to be in use at the same time: when half of its entries are in use, one new key in 20 finds its slot
/// full; when a quarter is, one in 900; when an eighth is, one in 100,000.
///
/// Which slot a key is in can be foreseen, and a client that chooses its keys could fill the slot of another: see [`with_secret`](Self::with_secret).
///
/// # Memory
///
/// At most `count × (name + ways × (14 + key + value))` bytes, and some 100 for each slot in the proxy: 4,096 slots of 8 entries with keys of 16 bytes and values of 8 are 2 MB. All who use a name must use the same
/// number of slots, or they find their keys in different ones; after a change of the number, values are found no more.
///
/// # Examples
///
/// Each client gets a hundred requests in a minute. `try_update` writes nothing for those that are refused.
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use inproxy::shared::{SharedError, Slots};
///
/// const WINDOW: Duration = Duration::from_secs(60);
///
/// fn may_pass(clients: &Slots<u64>, client: &[u8], now: SystemTime) -> Result<bool, SharedError> {
///     let window = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs() / WINDOW.as_secs();
///     // With the window in the key, each one begins at nothing.
///     let key = [client, &window.to_le_bytes()].concat();
///     let granted = clients.try_update(&key, now, WINDOW, |count| Some(count.unwrap_or(0) + 1).filter(|count| *count <= 100))?;
///     Ok(granted.is_some())
/// }
/// # let _: Slots<u64> = Slots::new("limit/clients", 1024);
/// ```
pub struct Slots<T> {
    name: Cow<'static, str>,
    count: u32,
    ways: u8,
    attempts: u32,
    secret: [u64; 2],
    value: PhantomData<fn(T) -> T>,
}

// === impl Slots ===

impl<T> Slots<T> {
    /// The longest key, in bytes.
    pub const LONGEST_KEY: usize = 256;

    /// How many entries a slot has, unless set otherwise.
    pub const WAYS: u8 = 8;

    /// A table of `count` slots (of one, if that is 0). Filters with the same `vm_id` share all names: begin with the filter's.
    pub fn new(name: impl Into<Cow<'static, str>>, count: u32) -> Self {
        Self { name: name.into(), count: count.max(1), ways: Self::WAYS, attempts: super::ATTEMPTS, secret: [0; 2], value: PhantomData }
    }

    /// How many entries a slot has: more are fuller before one is [`Full`](SharedError::Full), but each change reads and writes all of a slot. At least one.
    #[must_use]
    pub fn with_ways(mut self, ways: u8) -> Self {
        self.ways = ways.max(1);
        self
    }

    /// How often a change is tried: [`ATTEMPTS`](super::ATTEMPTS) times unless set, at least once.
    #[must_use]
    pub fn with_attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// Spreads keys by a secret, such as one of the filter's configuration, so that clients that choose their keys cannot choose their slots. All who use the name must use the same.
    #[must_use]
    pub fn with_secret(mut self, secret: &[u8]) -> Self {
        self.secret = [0, 1].map(|half| hash([half, !half], secret));
        self
    }

    /// Which slot a key is in.
    fn slot(&self, key: &[u8]) -> Result<Key, SharedError> {
        if key.len() > Self::LONGEST_KEY {
            return Err(SharedError::KeyTooLong { length: key.len() });
        }
        let index = hash(self.secret, key) % u64::from(self.count);
        Ok(Key { name: Cow::Owned(format!("{}/{index}", self.name)), attempts: self.attempts })
    }
}

impl<T: Stored> Slots<T> {
    /// The value of a key; `None` if there is none, or if its time is over.
    ///
    /// # Errors
    ///
    /// [`SharedError::KeyTooLong`]; [`SharedError::Corrupt`] and [`SharedError::Decode`] if something else is there; [`SharedError::Host`].
    pub fn get(&self, key: &[u8], now: SystemTime) -> Result<Option<T>, SharedError> {
        let (slot, now) = (self.slot(key)?, milliseconds(now));
        let Some((bytes, _)) = slot.read()? else { return Ok(None) };
        for entry in Entries::of(&bytes) {
            let entry = entry.map_err(|reason| corrupt(&slot, reason))?;
            if entry.key == key && entry.deadline > now {
                return decode(&slot, entry.value).map(Some);
            }
        }
        Ok(None)
    }

    /// Changes the value of a key from what it is, or from `None` if there is none or its time is over; the new value, whose time is over after `ttl`.
    ///
    /// If another worker changes the slot meanwhile, `change` is called again with what is there then: let it do nothing but compute.
    ///
    /// # Errors
    ///
    /// [`SharedError::Full`] if all entries of the slot are in use by other keys; [`SharedError::Contended`] if others were first each time; [`SharedError::KeyTooLong`], [`SharedError::Corrupt`],
    /// [`SharedError::Decode`], [`SharedError::Encode`], [`SharedError::Host`]. The value is then as it was.
    pub fn update(&self, key: &[u8], now: SystemTime, ttl: Duration, mut change: impl FnMut(Option<T>) -> T) -> Result<T, SharedError> {
        let slot = self.slot(key)?;
        let write = Write { key, now: milliseconds(now), ttl, ways: self.ways, slot: &slot };
        slot.change(|bytes| {
            let found = write.find(bytes.as_deref().unwrap_or_default())?;
            let new = change(found.value(&slot)?);
            Ok(Change::Write(write.with(found, &new)?, new))
        })
    }

    /// As [`update`](Self::update), but `change` may return `None`: then nothing is written, and `None` is the result. A value that is there keeps its time.
    ///
    /// # Errors
    ///
    /// As those of [`update`](Self::update).
    pub fn try_update(
        &self,
        key: &[u8],
        now: SystemTime,
        ttl: Duration,
        mut change: impl FnMut(Option<T>) -> Option<T>,
    ) -> Result<Option<T>, SharedError> {
        let slot = self.slot(key)?;
        let write = Write { key, now: milliseconds(now), ttl, ways: self.ways, slot: &slot };
        slot.change(|bytes| {
            let found = write.find(bytes.as_deref().unwrap_or_default())?;
            match change(found.value(&slot)?) {
                Some(new) => Ok(Change::Write(write.with(found, &new)?, Some(new))),
                None => Ok(Change::Leave(None)),
            }
        })
    }
}

/// A change of one key's entry.
struct Write<'a> {
    key: &'a [u8],
    /// In milliseconds since the epoch.
    now: u64,
    ttl: Duration,
    ways: u8,
    slot: &'a Key,
}

/// What a slot has of a key.
struct Found<'a> {
    value: Option<&'a [u8]>,
    /// The slot with the entries of other keys that are in use, and no others.
    others: Vec<u8>,
}

// === impl Write ===

impl Write<'_> {
    fn find<'b>(&self, bytes: &'b [u8]) -> Result<Found<'b>, SharedError> {
        let mut found = Found { value: None, others: entries::start(bytes.len() + entries::HEAD + self.key.len()) };
        let mut used = 0_usize;
        for entry in Entries::of(bytes) {
            let entry = entry.map_err(|reason| corrupt(self.slot, reason))?;
            if entry.deadline <= self.now {
                continue;
            }
            if entry.key == self.key {
                found.value = found.value.or(Some(entry.value));
            } else {
                used += 1;
                entry.append(&mut found.others);
            }
        }
        // A key that has an entry keeps it, also if there are more than there should be.
        if found.value.is_none() && used >= usize::from(self.ways) {
            return Err(SharedError::Full { slot: self.slot.name.clone().into_owned(), ways: self.ways });
        }
        Ok(found)
    }

    /// The bytes of the slot with the new value.
    fn with<T: Stored>(&self, found: Found<'_>, value: &T) -> Result<Vec<u8>, SharedError> {
        let value = value.encode().map_err(|cause| self.slot.not_encoded(cause))?;
        let mut slot = found.others;
        let deadline = self.now.saturating_add(u64::try_from(self.ttl.as_millis()).unwrap_or(u64::MAX));
        if !(Entry { deadline, key: self.key, value: &value }).append(&mut slot) {
            return Err(self.slot.not_encoded(StoredError::new(format!("{} bytes are more than an entry takes", value.len()))));
        }
        Ok(slot)
    }
}

// === impl Found ===

impl Found<'_> {
    fn value<T: Stored>(&self, slot: &Key) -> Result<Option<T>, SharedError> {
        self.value.map(|value| decode(slot, value)).transpose()
    }
}

/// SipHash, which is the same in each module, whatever compiler made it.
fn hash([one, other]: [u64; 2], bytes: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new_with_keys(one, other);
    hasher.write(bytes);
    hasher.finish()
}

/// Since the epoch; 0 before it.
fn milliseconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

fn decode<T: Stored>(slot: &Key, value: &[u8]) -> Result<T, SharedError> {
    T::decode(Cow::Borrowed(value)).map_err(|cause| slot.not_decoded(cause))
}

#[cold]
fn corrupt(slot: &Key, reason: &'static str) -> SharedError {
    SharedError::Corrupt { slot: slot.name.clone().into_owned(), reason }
}

impl<T> Clone for Slots<T> {
    fn clone(&self) -> Self {
        Self { name: self.name.clone(), value: PhantomData, ..*self }
    }
}

/// Without the secret.
impl<T> fmt::Debug for Slots<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slots").field("name", &self.name).field("count", &self.count).field("ways", &self.ways).finish_non_exhaustive()
    }
}
