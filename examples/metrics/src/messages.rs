//! Messages of gRPC in the bytes of a body.

use std::ops::Range;

/// What stands before a message: whether it is compressed, and its length in four bytes.
const PREFIX: usize = 5;

/// How much is read at once: several of small messages, and not much of large ones.
const WINDOW: usize = 256;

/// Counts the messages of one direction. A message counts once what stands before it is there.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    /// What is there of the next message's prefix.
    prefix: [u8; PREFIX],
    has: usize,
    /// How much of the message's own bytes is still to come.
    rest: u64,
    /// Bytes could not be read: where messages begin is not known any more.
    lost: bool,
}

// === impl Messages ===

impl Messages {
    /// How many messages begin in a part of a body of this length, of which `read` copies some bytes. Once it cannot, none are counted any more.
    pub(crate) fn begin_in(&mut self, length: usize, mut read: impl FnMut(Range<usize>) -> Option<Vec<u8>>) -> u64 {
        let (mut at, mut count) = (0, 0);
        let (mut window, mut from) = (Vec::new(), 0);
        while at < length && !self.lost {
            let left = length - at;
            let skipped = usize::try_from(self.rest).unwrap_or(usize::MAX).min(left);
            self.rest -= skipped as u64;
            at += skipped;
            if self.rest > 0 || at == length {
                break;
            }
            let end = length.min(at + PREFIX - self.has);
            if end > from + window.len() {
                (from, window) = (at, read(at..length.min(at + WINDOW)).unwrap_or_default());
            }
            let Some(bytes) = window.get(at - from..end - from) else {
                self.lost = true;
                break;
            };
            for (to, byte) in self.prefix.iter_mut().skip(self.has).zip(bytes) {
                *to = *byte;
            }
            self.has += end - at;
            at = end;
            if self.has == PREFIX {
                let [_, length @ ..] = self.prefix;
                (self.has, self.rest) = (0, u32::from_be_bytes(length).into());
                count += 1;
            }
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(parts: &[&[u8]]) -> Vec<u64> {
        let mut messages = Messages::default();
        parts.iter().map(|part| messages.begin_in(part.len(), |range| part.get(range).map(<[u8]>::to_vec))).collect()
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
    fn many_small_messages_are_read_a_few_at_a_time() {
        let body = [0; 5 * 1000];
        let mut reads = 0;
        let read = |range: Range<usize>| {
            reads += 1;
            body.get(range).map(<[u8]>::to_vec)
        };
        assert_eq!(Messages::default().begin_in(body.len(), read), 1000);
        assert!(reads <= 20, "{reads}");
    }

    #[test]
    fn after_what_cannot_be_read_none_are_counted() {
        let mut messages = Messages::default();
        assert_eq!(messages.begin_in(9, |_| None), 0);
        assert_eq!(messages.begin_in(5, |_| Some(vec![0; 5])), 0);
    }
}
