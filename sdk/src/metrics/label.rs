//! Labels in the name of a statistic: for each `name=.=value;.;`, and then the metric's name. This is how Istio writes them, so that its `extraStatTags` reads them too.

use std::borrow::Cow;

/// How many bytes of a label's value are kept.
pub const LONGEST_LABEL_VALUE: usize = 128;

/// The value of all labels of the one series that takes what comes when a [`Family`](super::Family) has as many label sets as it may.
pub const OVERFLOW: &str = "__overflow__";

/// The value of a label as it is shown, for bytes that may come from traffic.
///
/// Nearly all text is shown as it is, with dots, spaces, quotes and all letters. What is longer than [`LONGEST_LABEL_VALUE`] is cut off there, at the end of a character. As `%` and two hexadecimal digits stand: control characters,
/// bytes that are not UTF-8, `;` and `=` before `.=`, since they are what labels are told apart by, and a dot at the end, which Envoy would drop. (`%` itself stays, so that paths can be read. A value that has `%3B` already is then the same label as one with `;`.)
///
/// An empty value is, for Prometheus, the same as no such label.
///
/// # Examples
///
/// ```
/// use inproxy::metrics::label_value;
///
/// assert_eq!(label_value(b"/v1.2/users?name=j%20d"), "/v1.2/users?name=j%20d");
/// assert_eq!(label_value(b"a;b\n\xff"), "a%3Bb%0A%FF");
/// assert_eq!(label_value(&[b'x'; 1000]).len(), 128);
/// ```
pub fn label_value(value: &[u8]) -> Cow<'_, str> {
    let value = cut(value);
    let mut shown = Cow::Borrowed("");
    for chunk in value.utf8_chunks() {
        let text = chunk.valid();
        let ends = chunk.invalid().is_empty();
        let mut from = 0;
        for (at, byte) in text.bytes().enumerate().filter(|(at, byte)| is_special(*byte, text.as_bytes(), *at, ends)) {
            append(&mut shown, text.get(from..at).unwrap_or_default());
            escape(shown.to_mut(), byte);
            from = at + 1;
        }
        append(&mut shown, text.get(from..).unwrap_or_default());
        for byte in chunk.invalid() {
            escape(shown.to_mut(), *byte);
        }
    }
    shown
}

/// What of a value tells its label from others.
pub(super) fn cut(value: &[u8]) -> &[u8] {
    let Some(longest) = value.get(..LONGEST_LABEL_VALUE).filter(|longest| longest.len() < value.len()) else { return value };
    // The next byte goes on with a character: it has begun at most three bytes before.
    let mut end = longest.len();
    while value.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) && end + 3 > longest.len() {
        end -= 1;
    }
    value.get(..end).unwrap_or(longest)
}

/// The name of the statistic for a label set. Shorter labels come first: Istio's expression for `code` would find it in `status_code=.=` too, if that were before it.
pub(super) fn stat_name<'v>(labels: &[Box<str>], value: impl Fn(usize) -> &'v [u8], name: &str) -> String {
    let mut stat = String::new();
    let mut last = None;
    while let Some((length, at)) = labels.iter().enumerate().map(|(at, label)| (label.len(), at)).filter(|next| Some(*next) > last).min() {
        stat.push_str(labels.get(at).map(|label| &**label).unwrap_or_default());
        stat.push_str("=.=");
        stat.push_str(&label_value(value(at)));
        stat.push_str(";.;");
        last = Some((length, at));
    }
    stat.push_str(name);
    stat
}

fn is_special(byte: u8, text: &[u8], at: usize, ends: bool) -> bool {
    match byte {
        b';' => true,
        // Envoy drops dots at the end of a label.
        b'.' => at + 1 == text.len() && ends,
        b'=' => text.get(at + 1..).is_some_and(|rest| rest.starts_with(b".=")),
        _ => byte.is_ascii_control(),
    }
}

fn append<'v>(shown: &mut Cow<'v, str>, text: &'v str) {
    if shown.is_empty() {
        *shown = Cow::Borrowed(text);
    } else if !text.is_empty() {
        shown.to_mut().push_str(text);
    }
}

fn escape(shown: &mut String, byte: u8) {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    shown.push('%');
    shown.extend([byte >> 4, byte & 15].iter().filter_map(|digit| DIGITS.get(usize::from(*digit))));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_labels_are_told_apart_by_is_escaped() {
        for (value, shown) in [
            (&b""[..], ""),
            (b"200", "200"),
            (b".a..b.", ".a..b%2E"),
            (b"..", ".%2E"),
            (b"a.\xff", "a.%FF"),
            (b";.;", "%3B.%3B"),
            (b"=.=.=", "%3D.%3D.="),
            (b"a=b.=c", "a=b.=c"),
            (b"\"\\ {}", "\"\\ {}"),
            (b"\xc3\xa9\xff\xc3", "\u{e9}%FF%C3"),
            (b"\0\r\n\t\x7f", "%00%0D%0A%09%7F"),
            (b"%3B", "%3B"),
        ] {
            assert_eq!(label_value(value), shown, "{}", value.escape_ascii());
        }
    }

    #[test]
    fn nothing_is_copied_that_is_shown_as_it_is() {
        assert!(matches!(label_value(b"/a.b"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_long_value_is_cut_between_characters() {
        for before in 0..4 {
            let value = "x".repeat(before) + &"\u{20ac}".repeat(100);
            let shown = label_value(value.as_bytes());
            assert!(value.starts_with(&*shown) && (126..=128).contains(&shown.len()), "{before}: {shown}");
        }
        let emoji = "\u{1f600}".repeat(33);
        assert_eq!(label_value(emoji.as_bytes()), "\u{1f600}".repeat(32));
        assert_eq!(label_value(&[0x80; 1000]).len(), 3 * 125);
        assert_eq!(cut(&[b'x'; 128]).len(), 128);
        assert_eq!(cut(&[b'x'; 129]).len(), 128);
    }

    #[test]
    fn shorter_labels_come_first() {
        let labels: Vec<Box<str>> = ["status_code", "code", "path", "x"].map(Into::into).into();
        let values: [&[u8]; 4] = [b"1", b"2", b"3", b""];
        let stat = stat_name(&labels, |at| values[at], "requests_total");
        assert_eq!(stat, "x=.=;.;code=.=2;.;path=.=3;.;status_code=.=1;.;requests_total");
    }
}
