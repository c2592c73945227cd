//! The bytes of a slot: a version, then one entry after the other.
//!
//! | | bytes |
//! |---|---|
//! | deadline, in milliseconds since the epoch | 8 |
//! | length of the key | 2 |
//! | length of the value | 4 |
//! | key, value | as many |
//!
//! Numbers have their least significant byte first.

const VERSION: u8 = 1;

/// What an entry has before its key.
pub(super) const HEAD: usize = 8 + 2 + 4;

/// The value of a key until a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    /// In milliseconds since the epoch; it counts no more from then on.
    pub(super) deadline: u64,
    pub(super) key: &'a [u8],
    pub(super) value: &'a [u8],
}

/// The entries of a slot. An error is the last that it yields.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entries<'a> {
    rest: &'a [u8],
    /// The version is not read yet.
    fresh: bool,
}

// === impl Entries ===

impl<'a> Entries<'a> {
    /// Those in the bytes of a slot; nothing at all is a slot without entries.
    pub(super) const fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, fresh: true }
    }

    fn read(&mut self) -> Result<Entry<'a>, &'static str> {
        if self.fresh {
            self.fresh = false;
            match self.rest.split_first() {
                Some((&VERSION, rest)) => self.rest = rest,
                _ => return Err("its first byte is not that of a slot"),
            }
        }
        let cut = "an entry is cut off";
        let (deadline, rest) = self.rest.split_first_chunk().ok_or(cut)?;
        let (key, rest) = rest.split_first_chunk().ok_or(cut)?;
        let (value, rest) = rest.split_first_chunk().ok_or(cut)?;
        let (key, rest) = rest.split_at_checked(u16::from_le_bytes(*key).into()).ok_or(cut)?;
        let value = usize::try_from(u32::from_le_bytes(*value)).map_err(|_| cut)?;
        let (value, rest) = rest.split_at_checked(value).ok_or(cut)?;
        self.rest = rest;
        Ok(Entry { deadline: u64::from_le_bytes(*deadline), key, value })
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, &'static str>;

    fn next(&mut self) -> Option<Self::Item> {
        // A version without entries is a slot too: the one that `start` makes.
        if self.rest.is_empty() || (self.fresh && self.rest == [VERSION]) {
            return None;
        }
        let read = self.read();
        if read.is_err() {
            self.rest = &[];
        }
        Some(read)
    }
}

/// The bytes of a slot without entries, with room for others.
pub(super) fn start(room: usize) -> Vec<u8> {
    let mut slot = Vec::with_capacity(1 + room);
    slot.push(VERSION);
    slot
}

// === impl Entry ===

impl Entry<'_> {
    /// Writes it behind the others of a slot; false, and nothing, if its key or value is longer than can be told.
    pub(super) fn append(&self, slot: &mut Vec<u8>) -> bool {
        let (Ok(key), Ok(value)) = (u16::try_from(self.key.len()), u32::try_from(self.value.len())) else { return false };
        slot.reserve(HEAD + self.key.len() + self.value.len());
        slot.extend_from_slice(&self.deadline.to_le_bytes());
        slot.extend_from_slice(&key.to_le_bytes());
        slot.extend_from_slice(&value.to_le_bytes());
        slot.extend_from_slice(self.key);
        slot.extend_from_slice(self.value);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(entries: &[Entry<'_>]) -> Vec<u8> {
        let mut slot = start(0);
        assert!(entries.iter().all(|entry| entry.append(&mut slot)));
        slot
    }

    fn two() -> [Entry<'static>; 2] {
        [Entry { deadline: u64::MAX, key: b"", value: b"" }, Entry { deadline: 7, key: b"key", value: b"value" }]
    }

    #[test]
    fn entries_are_had_back() {
        assert_eq!(Entries::of(&[]).count(), 0);
        assert_eq!(Entries::of(&slot(&[])).count(), 0);
        let slot = slot(&two());
        assert_eq!(Entries::of(&slot).collect::<Result<Vec<_>, _>>().unwrap(), two());
    }

    #[test]
    fn a_slot_that_is_cut_off_anywhere_is_an_error_or_has_fewer_entries() {
        let whole = slot(&two());
        let first = slot(&two()[..1]).len();
        for end in 0..whole.len() {
            let read = Entries::of(&whole[..end]).collect::<Result<Vec<_>, _>>();
            match end {
                0 | 1 => assert!(read.unwrap().is_empty()),
                end if end == first => assert_eq!(read.unwrap(), two()[..1]),
                _ => assert_eq!(read.unwrap_err(), "an entry is cut off", "{end}"),
            }
        }
    }

    #[test]
    fn any_byte_may_be_wrong() {
        let whole = slot(&two());
        for at in 0..whole.len() {
            for byte in [0, 1, 0x7f, 0xff] {
                let mut wrong = whole.clone();
                wrong[at] = byte;
                // Whatever it is, it ends.
                assert!(Entries::of(&wrong).count() <= 3);
            }
        }
        assert_eq!(Entries::of(b"\x02").last(), Some(Err("its first byte is not that of a slot")));
    }

    #[test]
    fn an_entry_whose_length_cannot_be_told_is_not_written() {
        let mut slot = start(0);
        assert!(!Entry { deadline: 0, key: &[0; 65_536], value: b"" }.append(&mut slot));
        assert_eq!(slot.len(), 1);
    }
}
