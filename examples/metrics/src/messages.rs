//! Messages of gRPC in the bytes of a body.

use std::ops::Range;

/// What stands before a message: whether it is compressed, and its length in four bytes.
const PREFIX: usize = 5;

/// Counts the messages of one direction. A message counts once what stands before it is there.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    /// What is there of the next message's prefix.
    prefix: [u8; PREFIX],
    has: usize,
    /// How much of the message's own bytes is still to come.
    rest: u64,
}

// === impl Messages ===

impl Messages {
    /// How many messages begin in a part of a body of this length, of which `read` copies a few bytes; `None` if it cannot.
    pub(crate) fn begin_in(&mut self, length: usize, mut read: impl FnMut(Range<usize>) -> Option<Vec<u8>>) -> Option<u64> {
        let (mut at, mut count) = (0, 0);
        while at < length {
            let left = length - at;
            let skipped = usize::try_from(self.rest).unwrap_or(usize::MAX).min(left);
            self.rest -= skipped as u64;
            at += skipped;
            if self.rest > 0 || at == length {
                break;
            }
            let end = length.min(at + PREFIX - self.has);
            for (to, from) in self.prefix.iter_mut().skip(self.has).zip(read(at..end)?) {
                *to = from;
            }
            self.has += end - at;
            at = end;
            if self.has == PREFIX {
                let [_, length @ ..] = self.prefix;
                (self.has, self.rest) = (0, u32::from_be_bytes(length).into());
                count += 1;
            }
        }
        Some(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(parts: &[&[u8]]) -> Vec<u64> {
        let mut messages = Messages::default();
        parts.iter().map(|part| messages.begin_in(part.len(), |range| part.get(range).map(<[u8]>::to_vec)).unwrap()).collect()
    }

    #[test]
    fn messages_are_counted_however_they_are_cut() {
        let body = b"\0\0\0\0\x03abc\0\0\0\0\0\x01\0\0\0\x07abcdefg";
        assert_eq!(count(&[body]), [3]);
        for cut in 0..=body.len() {
            let (one, other) = body.split_at(cut);
            assert_eq!(count(&[one, other]).iter().sum::<u64>(), 3, "{cut}");
        }
        assert_eq!(count(&body.iter().map(std::slice::from_ref).collect::<Vec<_>>()).iter().sum::<u64>(), 3);
        assert_eq!(count(&[b"\0\0\0\0", b"\x02a", b"b\0", b"\0\0\0\0"]), [0, 1, 0, 1]);
    }

    #[test]
    fn a_length_beyond_all_bytes_is_waited_for() {
        assert_eq!(count(&[b"\0\xff\xff\xff\xffabc", &[0; 1000]]), [1, 0]);
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        assert_eq!(Messages::default().begin_in(9, |_| None), None);
    }
}
