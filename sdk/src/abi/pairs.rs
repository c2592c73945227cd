//! The wire format of header maps: `u32` count, then `u32` name length and `u32` value length for each, then `name\0value\0` for each; little endian.

use std::{ops::Range, sync::Arc};

/// Encodes name and value pairs as the host expects them.
pub fn encode_pairs<'a>(pairs: impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone) -> Vec<u8> {
    let (count, bytes) = pairs.clone().fold((0, 4), |(count, bytes), (name, value)| (count + 1, bytes + name.len() + value.len() + 10));
    let mut out = Vec::with_capacity(bytes);
    out.extend_from_slice(&u32::to_le_bytes(count));
    for (name, value) in pairs.clone() {
        out.extend_from_slice(&(name.len() as u32).to_le_bytes());
        out.extend_from_slice(&(value.len() as u32).to_le_bytes());
    }
    for (name, value) in pairs {
        out.extend_from_slice(name);
        out.push(0);
        out.extend_from_slice(value);
        out.push(0);
    }
    out
}

/// Reads pairs out of a host's buffer as they are asked for; nothing is copied.
///
/// Every length is checked against the buffer. A buffer that is cut short or lies about its lengths yields the pairs that are whole, then ends.
#[derive(Clone, Debug)]
pub struct Pairs<B> {
    buffer: B,
    left: usize,
    lengths: usize,
    bytes: usize,
}

// === impl Pairs ===

impl<B: AsRef<[u8]>> Pairs<B> {
    /// Reads `buffer`, which may be empty.
    pub fn new(buffer: B) -> Self {
        let bytes = buffer.as_ref();
        let claimed = take_u32(bytes).map_or(0, |(count, _)| count as usize);
        let left = if claimed <= bytes.len() / PER_PAIR { claimed } else { 0 };
        Self { buffer, left, lengths: 4, bytes: 4 + left * 8 }
    }

    /// The next name and value.
    pub fn take(&mut self) -> Option<(&[u8], &[u8])> {
        self.left = self.left.checked_sub(1)?;
        let pair = read(self.buffer.as_ref(), self.lengths, self.bytes);
        match pair {
            Some((name, value)) => {
                self.lengths += 8;
                self.bytes += name.len() + value.len() + 2;
            }
            None => self.left = 0,
        }
        pair
    }
}

impl<'a> Iterator for Pairs<&'a [u8]> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let buffer = self.buffer;
        let (lengths, bytes) = (self.lengths, self.bytes);
        self.take()?;
        read(buffer, lengths, bytes)
    }
}

/// A map that was fetched whole, whose lengths add up.
#[derive(Clone, Debug)]
pub(super) struct Whole(Arc<Vec<u8>>);

// === impl Whole ===

impl Whole {
    /// `None` if the buffer is cut short, or lies about its lengths: what is whole of it can be read with [`Pairs`].
    pub(super) fn try_new(buffer: Vec<u8>) -> Option<Self> {
        let lengths = lengths(&buffer)?;
        let mut at = 4 + size_of_val(lengths);
        for (name, value) in lengths.iter().map(sizes) {
            let end_of_name = at.checked_add(name)?;
            let end = end_of_name.checked_add(value)?.checked_add(1)?;
            // Where there is no terminator, `Pairs` ends.
            if *buffer.get(end)? | *buffer.get(end_of_name)? != 0 {
                return None;
            }
            at = end + 1;
        }
        Some(Self(Arc::new(buffer)))
    }

    /// The first value of a name, which must be in the case in which the host has it: lower case. Only the lengths of the pairs before it are looked at.
    pub(super) fn find(&self, name: &[u8]) -> Option<(Arc<Vec<u8>>, Range<usize>)> {
        let lengths = lengths(&self.0)?;
        let last = name.last()?;
        let mut at = 4 + size_of_val(lengths);
        for (name_size, value_size) in lengths.iter().map(sizes) {
            let end = at + name_size;
            // Names of one length often begin alike, and seldom end alike.
            if name_size == name.len() && self.0.get(end - 1) == Some(last) && self.0.get(at..end) == Some(name) {
                return Some((Arc::clone(&self.0), end + 1..end + 1 + value_size));
            }
            at = end + value_size + 2;
        }
        None
    }
}

/// The lengths of names and values, eight bytes for each pair.
fn lengths(buffer: &[u8]) -> Option<&[[u8; 8]]> {
    let (count, rest) = take_u32(buffer)?;
    Some(rest.get(..(count as usize).checked_mul(8)?)?.as_chunks().0)
}

fn sizes([a, b, c, d, value @ ..]: &[u8; 8]) -> (usize, usize) {
    (u32::from_le_bytes([*a, *b, *c, *d]) as usize, u32::from_le_bytes(*value) as usize)
}

/// What a pair takes at least: two lengths and two terminators.
const PER_PAIR: usize = 10;

fn read(buffer: &[u8], lengths: usize, bytes: usize) -> Option<(&[u8], &[u8])> {
    let (name, rest) = take_u32(buffer.get(lengths..)?)?;
    let (value, _) = take_u32(rest)?;
    let (name, rest) = take_terminated(buffer.get(bytes..)?, name as usize)?;
    let (value, _) = take_terminated(rest, value as usize)?;
    Some((name, value))
}

fn take_u32(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (head, rest) = bytes.split_first_chunk()?;
    Some((u32::from_le_bytes(*head), rest))
}

fn take_terminated(bytes: &[u8], length: usize) -> Option<(&[u8], &[u8])> {
    let (value, rest) = bytes.split_at_checked(length)?;
    match rest.split_first()? {
        (0, rest) => Some((value, rest)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADERS: [(&[u8], &[u8]); 3] = [(b":path", b"/"), (b"x", b""), (b"x", b"\xff\xfe")];

    #[test]
    fn what_was_encoded_is_read_back() {
        let buffer = encode_pairs(HEADERS.into_iter());
        assert_eq!(Pairs::new(&*buffer).collect::<Vec<_>>(), HEADERS);
        assert_eq!(Pairs::new(&[][..]).count(), 0);
        assert_eq!(Pairs::new(&[0, 0, 0, 0][..]).count(), 0);
    }

    #[test]
    fn a_name_is_found_as_reading_all_finds_it() {
        let whole = Whole::try_new(encode_pairs(HEADERS.into_iter())).unwrap();
        let value = |name| whole.find(name).map(|(bytes, range)| bytes[range].to_vec());
        assert_eq!(value(b"x"), Some(b"".to_vec()));
        assert_eq!(value(b":path"), Some(b"/".to_vec()));
        assert_eq!(value(b"y"), None);
        assert_eq!(value(b""), None);
    }

    #[test]
    fn a_map_without_its_terminators_is_not_whole() {
        let buffer = encode_pairs([(&b"x"[..], &b""[..]), (b"y", b"z")].into_iter());
        for at in [4 + 16 + 1, 4 + 16 + 2, buffer.len() - 3, buffer.len() - 1] {
            let mut buffer = buffer.clone();
            buffer[at] = 0xff;
            assert!(Pairs::new(&*buffer).count() < 2 && Whole::try_new(buffer).is_none(), "{at}");
        }
    }

    #[test]
    fn a_map_whose_lengths_do_not_add_up_is_not_whole() {
        let buffer = encode_pairs(HEADERS.into_iter());
        for end in 0..buffer.len() {
            assert!(Whole::try_new(buffer[..end].to_vec()).is_none(), "cut at {end}");
        }
        for lie in [u32::MAX, 1 << 31, 17] {
            for at in [0, 4, 8] {
                let mut buffer = buffer.clone();
                buffer[at..at + 4].copy_from_slice(&lie.to_le_bytes());
                assert!(Whole::try_new(buffer).is_none(), "{lie} at {at}");
            }
        }
    }

    #[test]
    fn a_buffer_cut_anywhere_yields_only_whole_pairs() {
        let buffer = encode_pairs(HEADERS.into_iter());
        for end in 0..buffer.len() {
            let read: Vec<_> = Pairs::new(&buffer[..end]).collect();
            assert!(read.len() < HEADERS.len() && HEADERS.starts_with(&read), "cut at {end}: {read:?}");
        }
    }

    #[test]
    fn lengths_that_lie_end_the_map() {
        for lie in [u32::MAX, 1 << 31, 17] {
            let mut buffer = encode_pairs(HEADERS.into_iter());
            buffer[4..8].copy_from_slice(&lie.to_le_bytes());
            assert_eq!(Pairs::new(&*buffer).count(), 0);
            buffer[..4].copy_from_slice(&lie.to_le_bytes());
            assert_eq!(Pairs::new(&*buffer).count(), 0);
        }
    }
}
