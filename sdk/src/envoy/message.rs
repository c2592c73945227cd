//! The few protobuf messages that Envoy's functions take and give: numbers and bytes, and nothing nested.

/// A message that is being written.
#[derive(Default)]
pub(crate) struct Message(Vec<u8>);

/// A field of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

const NUMBER: u64 = 0;
const BYTES: u64 = 2;

// === impl Message ===

impl Message {
    /// Adds a number; none for zero, which is what a missing one is.
    pub(crate) fn number(mut self, field: u64, value: u64) -> Self {
        if value != 0 {
            self.varint(field << 3 | NUMBER);
            self.varint(value);
        }
        self
    }

    /// Adds bytes, or a text.
    pub(crate) fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        self.varint(field << 3 | BYTES);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
        self
    }

    /// What it is on the wire.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

/// Shows all fields of a message, in their order. `None` if it is cut off, or has a field of another kind.
pub(super) fn read<'a>(mut bytes: &'a [u8], mut each: impl FnMut(u64, Field<'a>)) -> Option<()> {
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        let value = varint(&mut bytes)?;
        let field = match key & 7 {
            NUMBER => Field::Number(value),
            BYTES => {
                let (field, rest) = bytes.split_at_checked(usize::try_from(value).ok()?)?;
                bytes = rest;
                Field::Bytes(field)
            }
            _ => return None,
        };
        each(key >> 3, field);
    }
    Some(())
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(bytes: &[u8]) -> Option<Vec<(u64, Field<'_>)>> {
        let mut fields = Vec::new();
        read(bytes, |number, field| fields.push((number, field)))?;
        Some(fields)
    }

    #[test]
    fn what_is_written_is_read() {
        let long = vec![7; 300];
        let message = Message::default().bytes(1, b"sha256").number(2, 300).number(3, 0).bytes(4, &long).bytes(5, b"");
        assert_eq!(
            fields(message.as_bytes()),
            Some(vec![(1, Field::Bytes(b"sha256")), (2, Field::Number(300)), (4, Field::Bytes(&long)), (5, Field::Bytes(b""))])
        );
    }

    #[test]
    fn what_is_cut_off_or_of_another_kind_is_none() {
        let message = Message::default().number(1, 1).bytes(2, b"error");
        for length in [1, 3, 4, message.as_bytes().len() - 1] {
            assert_eq!(fields(&message.as_bytes()[..length]), None, "{length}");
        }
        for bytes in
            [&b"\x0d\0\0\0\0"[..], b"\xff", b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"]
        {
            assert_eq!(fields(bytes), None, "{}", bytes.escape_ascii());
        }
    }
}
