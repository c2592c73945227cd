use std::time::{Duration, SystemTime};

use super::decode;
use crate::abi::Pairs;

/// A value of metadata, or of an [expression](crate::envoy::cel): its bytes, which are read as what they are expected to be.
///
/// The proxy does not say which type a value has, and eight bytes can be a number or a text. All numbers of metadata are doubles, as in JSON.
///
/// # Examples
///
/// ```
/// use inproxy::attributes::Value;
///
/// let value = Value::from(b"gold".to_vec());
/// assert_eq!(value.text(), Some("gold"));
/// assert_eq!(value.number(), None);
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Value(Vec<u8>);

// === impl Value ===

impl Value {
    /// As a text. `None` if it is not UTF-8.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// As a number. `None` if it has not eight bytes.
    pub fn number(&self) -> Option<f64> {
        decode::double(self.0.clone())
    }

    /// As a whole number, which metadata never is, but a value of an expression may be. `None` if it has not eight bytes.
    pub fn int(&self) -> Option<i64> {
        decode::int(self.0.clone())
    }

    /// As a whole number without sign (`uint`); as [`int`](Self::int).
    pub fn uint(&self) -> Option<u64> {
        decode::uint(self.0.clone())
    }

    /// As a time span, of an expression. `None` if it has not eight bytes, or is negative.
    pub fn duration(&self) -> Option<Duration> {
        decode::duration(self.0.clone())
    }

    /// As a time, of an expression. `None` if it has not eight bytes.
    pub fn time(&self) -> Option<SystemTime> {
        decode::time(self.0.clone())
    }

    /// As a truth value. `None` if it is not one byte, 0 or 1.
    pub fn boolean(&self) -> Option<bool> {
        decode::boolean(self.0.clone())
    }

    /// As a list. `None` if its lengths do not add up, or it is a map.
    pub fn list(&self) -> Option<Vec<Self>> {
        self.pairs()?.into_iter().map(|(element, nothing)| nothing.is_empty().then(|| Self(element.to_vec()))).collect()
    }

    /// As a map, in no order. `None` if its lengths do not add up.
    pub fn map(&self) -> Option<Vec<(String, Self)>> {
        self.pairs()?.into_iter().map(|(key, value)| Some((std::str::from_utf8(key).ok()?.to_owned(), Self(value.to_vec())))).collect()
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Its bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Names and values, if they are all there, and nothing else.
    fn pairs(&self) -> Option<Vec<(&[u8], &[u8])>> {
        let (count, _) = self.0.split_first_chunk()?;
        let pairs: Vec<_> = Pairs::new(&*self.0).collect();
        let size = pairs.iter().fold(4, |size, (name, value)| size + name.len() + value.len() + 10);
        (pairs.len() == u32::from_le_bytes(*count) as usize && size == self.0.len()).then_some(pairs)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

/// Its size: what it says may be a secret of a user.
impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Value({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::encode_pairs;

    fn pairs(pairs: &[(&[u8], &[u8])]) -> Vec<u8> {
        encode_pairs(pairs.iter().copied())
    }

    #[test]
    fn lists_and_maps_are_read_at_any_depth() {
        let number = 3_f64.to_le_bytes();
        let list = pairs(&[(b"a", b""), (&number, b"")]);
        let value = Value(pairs(&[(b"list", &list), (b"truth", &[1]), (b"none", &pairs(&[]))]));
        let map = value.map().unwrap();
        let of = |name: &str| map.iter().find(|(key, _)| key == name).unwrap().1.clone();
        let elements = of("list").list().unwrap();
        assert_eq!((elements[0].text(), elements[1].number()), (Some("a"), Some(3.0)));
        assert_eq!(of("truth").boolean(), Some(true));
        assert_eq!(of("none").list(), Some(Vec::new()));
        assert_eq!(of("none").map(), Some(Vec::new()));
        assert_eq!(value.list(), None, "a map is no list");
    }

    #[test]
    fn what_is_cut_or_lies_about_its_lengths_is_none() {
        let whole = pairs(&[(b"key", b"value"), (b"other", b"")]);
        for length in 0..whole.len() {
            let cut = Value(whole[..length].to_vec());
            assert!(cut.map().is_none() && cut.list().is_none(), "cut at {length}");
        }
        for lie in [u32::MAX, 1 << 31, 17, 1, 0] {
            for at in [0, 4, 8] {
                let mut bytes = whole.clone();
                bytes[at..at + 4].copy_from_slice(&lie.to_le_bytes());
                assert!(Value(bytes).map().is_none(), "{lie} at {at}");
            }
        }
        assert!(Value([&whole[..], b"x"].concat()).map().is_none(), "something follows");
        assert!(Value(pairs(&[(b"\xff", b"")])).map().is_none(), "a key that is no text");
    }

    #[test]
    fn its_debug_form_does_not_tell_it() {
        assert_eq!(format!("{:?}", Value(b"secret".to_vec())), "Value(6 bytes)");
    }
}
