//! Attributes out of the bytes that the proxy hands over. Each answers `None` for bytes that cannot be what they are read as.

use std::{
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use http::{Method, StatusCode};

fn eight(bytes: Vec<u8>) -> Option<[u8; 8]> {
    bytes.try_into().ok()
}

pub(crate) fn text(bytes: Vec<u8>) -> Option<String> {
    String::from_utf8(bytes).ok()
}

pub(crate) fn int(bytes: Vec<u8>) -> Option<i64> {
    eight(bytes).map(i64::from_le_bytes)
}

/// Both a `uint`, and an `int` that cannot be negative.
pub(crate) fn unsigned(bytes: Vec<u8>) -> Option<u64> {
    int(bytes)?.try_into().ok()
}

/// A `uint` that may have its highest bit set.
pub(crate) fn uint(bytes: Vec<u8>) -> Option<u64> {
    eight(bytes).map(u64::from_le_bytes)
}

pub(crate) fn double(bytes: Vec<u8>) -> Option<f64> {
    eight(bytes).map(f64::from_le_bytes)
}

pub(crate) fn boolean(bytes: Vec<u8>) -> Option<bool> {
    match *bytes.first_chunk::<1>()? {
        [0] if bytes.len() == 1 => Some(false),
        [1] if bytes.len() == 1 => Some(true),
        _ => None,
    }
}

/// Nanoseconds since the epoch.
pub(crate) fn time(bytes: Vec<u8>) -> Option<SystemTime> {
    let nanoseconds = int(bytes)?;
    let distance = Duration::from_nanos(nanoseconds.unsigned_abs());
    let epoch = SystemTime::UNIX_EPOCH;
    if nanoseconds < 0 { epoch.checked_sub(distance) } else { epoch.checked_add(distance) }
}

/// Nanoseconds.
pub(crate) fn duration(bytes: Vec<u8>) -> Option<Duration> {
    unsigned(bytes).map(Duration::from_nanos)
}

pub(crate) fn port(bytes: Vec<u8>) -> Option<u16> {
    int(bytes)?.try_into().ok()
}

pub(crate) fn count(bytes: Vec<u8>) -> Option<u32> {
    int(bytes)?.try_into().ok()
}

pub(crate) fn address(bytes: Vec<u8>) -> Option<SocketAddr> {
    text(bytes)?.parse().ok()
}

pub(crate) fn status(bytes: Vec<u8>) -> Option<StatusCode> {
    StatusCode::from_u16(int(bytes)?.try_into().ok()?).ok()
}

pub(crate) fn method(bytes: Vec<u8>) -> Option<Method> {
    Method::from_bytes(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers have eight bytes, no fewer and no more.
    fn only_whole<T>(decode: fn(Vec<u8>) -> Option<T>, value: [u8; 8]) {
        assert!(decode(value.to_vec()).is_some());
        for length in (0..8).chain([9, 16]) {
            let mut bytes = value.to_vec();
            bytes.resize(length, 0);
            assert!(decode(bytes).is_none(), "{length} bytes");
        }
    }

    #[test]
    fn numbers_of_another_length_are_none() {
        let value = 200_i64.to_le_bytes();
        only_whole(int, value);
        only_whole(unsigned, value);
        only_whole(uint, value);
        only_whole(double, value);
        only_whole(time, value);
        only_whole(duration, value);
        only_whole(port, value);
        only_whole(count, value);
        only_whole(status, value);
    }

    #[test]
    fn numbers_out_of_range_are_none() {
        for (value, fits) in [(i64::MIN, false), (-1, false), (0, true), (65_535, true), (65_536, false), (i64::MAX, false)] {
            assert_eq!(port(value.to_le_bytes().to_vec()).is_some(), fits, "{value}");
            assert_eq!(unsigned(value.to_le_bytes().to_vec()).is_some(), value >= 0, "{value}");
            assert_eq!(duration(value.to_le_bytes().to_vec()).is_some(), value >= 0, "{value}");
            assert_eq!(int(value.to_le_bytes().to_vec()), Some(value));
        }
        for (value, fits) in [(-1_i64, false), (0, false), (99, false), (100, true), (999, true), (1000, false), (i64::MAX, false)] {
            assert_eq!(status(value.to_le_bytes().to_vec()).is_some(), fits, "{value}");
        }
        assert_eq!(uint(u64::MAX.to_le_bytes().to_vec()), Some(u64::MAX));
        assert_eq!(count((1_i64 << 32).to_le_bytes().to_vec()), None);
    }

    #[test]
    fn times_are_nanoseconds_since_the_epoch_and_may_be_before_it() {
        let epoch = SystemTime::UNIX_EPOCH;
        for (value, expected) in [(0_i64, epoch), (1_500_000_000, epoch + Duration::from_millis(1500)), (-1_000, epoch - Duration::from_micros(1))] {
            assert_eq!(time(value.to_le_bytes().to_vec()), Some(expected), "{value}");
        }
        for extreme in [i64::MIN, i64::MAX] {
            let _ = time(extreme.to_le_bytes().to_vec());
        }
        assert_eq!(duration(2_000_000_i64.to_le_bytes().to_vec()), Some(Duration::from_millis(2)));
    }

    #[test]
    fn truth_is_one_byte() {
        for (bytes, expected) in [(&[][..], None), (&[0], Some(false)), (&[1], Some(true)), (&[2], None), (&[1, 0], None), (b"true", None)] {
            assert_eq!(boolean(bytes.to_vec()), expected, "{bytes:?}");
        }
    }

    #[test]
    fn addresses_are_those_of_ip() {
        for (text, expected) in [
            ("127.0.0.1:80", Some("127.0.0.1:80")),
            ("[::1]:65535", Some("[::1]:65535")),
            ("127.0.0.1", None),
            ("127.0.0.1:65536", None),
            ("/var/run/socket", None),
            ("envoy://internal_client_address/", None),
            ("", None),
        ] {
            assert_eq!(address(text.into()).map(|address| address.to_string()).as_deref(), expected, "{text}");
        }
        assert_eq!(address(b"\xff:1".to_vec()), None);
    }

    #[test]
    fn text_is_utf_8() {
        assert_eq!(text(Vec::new()), Some(String::new()));
        assert_eq!(text("é".into()), Some("é".to_owned()));
        assert_eq!(text(b"a\xff".to_vec()), None);
        assert_eq!(method(b"PURGE".to_vec()).map(|method| method.to_string()).as_deref(), Some("PURGE"));
        assert_eq!(method(b"no method".to_vec()), None);
        assert_eq!(method(Vec::new()), None);
    }
}
