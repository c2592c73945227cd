use std::{fmt, str::FromStr, time};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, Visitor},
};

use crate::error::{Quoted, debug_as_display};

/// A time span in a configuration, written with its unit: `"200ms"`, `"5s"`, `"1m30s"`, `"1.5s"`.
///
/// This takes what the JSON of [Protocol Buffers](https://protobuf.dev/reference/protobuf/google.protobuf/#duration) and of [Go](https://pkg.go.dev/time#ParseDuration) has, and so what Envoy's and Istio's configurations have:
/// numbers with their units `h`, `m`, `s`, `ms`, `us` (or `µs`) and `ns`, one after the other, the sum of which is meant. A fraction below a nanosecond is dropped. A number without a unit is an error, and so are signs, spaces, and more than 584 years.
///
/// # Examples
///
/// ```
/// use inproxy::{config::Duration, prelude::*};
///
/// #[config]
/// struct Authority {
///     cluster: Cluster,
///     #[serde(default = "short")]
///     timeout: Duration,
/// }
///
/// const fn short() -> Duration {
///     Duration::from_millis(200)
/// }
///
/// impl Authority {
///     async fn ask(&self) -> Result<StatusCode> {
///         Ok(self.cluster.get("/").timeout(self.timeout.get()).send().await?.status())
///     }
/// }
///
/// let authority = inproxy::config::parse::<Authority>(br#"{ "cluster": "authority", "timeout": "1m30s" }"#)?;
/// assert_eq!(authority.timeout, Duration::from_secs(90));
/// # Ok::<(), inproxy::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Duration(time::Duration);

/// A text is not a duration.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DurationError {
    /// There is nothing.
    #[error("a duration must not be empty: write for example 5s, 200ms or 1m30s")]
    Empty,
    /// It begins with a minus.
    #[error("{} is negative, which no time span can be here", Quoted(.0))]
    Negative(String),
    /// Something else stands where a number must.
    #[error("{} is not a duration: it has numbers with their units, such as 5s, 0.2s or 1m30s, without signs and spaces", Quoted(.0))]
    Number(String),
    /// A number has no unit behind it.
    #[error("{} has a number without a unit: write for example 5s, 200ms or 1m30s", Quoted(.0))]
    NoUnit(String),
    /// What stands behind a number is not a unit.
    #[error("{} is not a unit of time: there are h, m, s, ms, us and ns", Quoted(.0))]
    Unit(String),
    /// It is longer than can be counted.
    #[error("{} is too long: no more than 584 years", Quoted(.0))]
    TooLong(String),
}

debug_as_display!(DurationError);

// === impl Duration ===

impl Duration {
    /// So many seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(time::Duration::from_secs(seconds))
    }

    /// So many milliseconds.
    pub const fn from_millis(milliseconds: u64) -> Self {
        Self(time::Duration::from_millis(milliseconds))
    }

    /// What the standard library and the SDK's timeouts take.
    pub const fn get(self) -> time::Duration {
        self.0
    }
}

impl FromStr for Duration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        if text.is_empty() {
            return Err(DurationError::Empty);
        }
        let (mut nanoseconds, mut rest) = (0_u64, text);
        while !rest.is_empty() {
            let (whole, decimals, unit);
            (whole, decimals, rest) = number(rest).ok_or_else(|| not_a_number(text))?;
            (unit, rest) = split(rest, |c| !c.is_ascii_digit() && c != '.');
            let unit = match unit {
                "h" => 3_600_000_000_000,
                "m" => 60_000_000_000,
                "s" => 1_000_000_000,
                "ms" => 1_000_000,
                // The sign for micro, and the Greek letter.
                "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
                "ns" => 1,
                "" => return Err(DurationError::NoUnit(text.to_owned())),
                other => return Err(DurationError::Unit(other.to_owned())),
            };
            nanoseconds = product(whole, unit)
                .and_then(|span| span.checked_add(part(decimals, unit)))
                .and_then(|span| span.checked_add(nanoseconds))
                .ok_or_else(|| DurationError::TooLong(text.to_owned()))?;
        }
        Ok(Self(time::Duration::from_nanos(nanoseconds)))
    }
}

impl From<Duration> for time::Duration {
    fn from(duration: Duration) -> Self {
        duration.0
    }
}

impl From<time::Duration> for Duration {
    fn from(duration: time::Duration) -> Self {
        Self(duration)
    }
}

/// In the largest unit up to seconds that it has one of, as in `90s`, `1.5s` and `200ms`.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

debug_as_display!(Duration);

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Duration;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text with a unit, such as \"5s\", \"200ms\" or \"1m30s\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Duration, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Text)
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn not_a_number(text: &str) -> DurationError {
    let error = if text.starts_with('-') { DurationError::Negative } else { DurationError::Number };
    error(text.to_owned())
}

/// The digits before and behind the point, and what follows.
fn number(text: &str) -> Option<(&str, &str, &str)> {
    let (whole, rest) = split(text, |c| c.is_ascii_digit());
    let (decimals, rest) = rest.strip_prefix('.').map_or(("0", rest), |rest| split(rest, |c| c.is_ascii_digit()));
    (!whole.is_empty() && !decimals.is_empty()).then_some((whole, decimals, rest))
}

/// What is such at the beginning, and what follows.
fn split(text: &str, is_such: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !is_such(c)).unwrap_or(text.len()))
}

fn product(digits: &str, unit: u64) -> Option<u64> {
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

/// That many decimals of a unit. Their sum is less than the unit.
fn part(decimals: &str, mut unit: u64) -> u64 {
    decimals.bytes().fold(0, |sum, digit| {
        unit /= 10;
        sum + u64::from(digit - b'0') * unit
    })
}

#[cfg(test)]
mod tests;
