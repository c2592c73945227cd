//! Mixer's cases, by the sections of what was collected of them. Where its unit tests expect NOT_FOUND, nothing compared it: what it did, and what its integration tests say, is PERMISSION_DENIED.

mod remote;

use super::*;
use crate::config::list::EntryType;

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

fn entries(entry_type: EntryType, body: &str, overrides: &[&str]) -> Entries {
    let overrides: Vec<String> = overrides.iter().map(|&entry| entry.to_owned()).collect();
    Entries::parse(entry_type, body.as_bytes(), &overrides).unwrap()
}

fn judge(blacklist: bool) -> Judge {
    Judge::new(blacklist, Duration::from_secs(300), 10_000)
}

/// The code and the message.
fn said(blacklist: bool, entries: &Entries, value: &Value) -> (Code, String) {
    match judge(blacklist).judge(entries, value) {
        Verdict::Allow(edits) => {
            assert_eq!(edits, crate::policy::Edits::default());
            allowed()
        }
        Verdict::Deny(denial) => (denial.code, denial.message),
    }
}

fn allowed() -> (Code, String) {
    (Code::OK, String::new())
}

fn denied(message: &str) -> (Code, String) {
    (Code::PERMISSION_DENIED, message.to_owned())
}

fn invalid(message: &str) -> (Code, String) {
    (Code::INVALID_ARGUMENT, message.to_owned())
}

#[track_caller]
fn assert_said(blacklist: bool, entries: &Entries, value: &Value, expected: (Code, String)) {
    assert_eq!(said(blacklist, entries, value), expected, "{value:?}");
}

#[test]
fn s4_14_a_whitelist() {
    let list = entries(EntryType::Strings, "", &["src1", "src2"]);
    assert_said(false, &list, &text("src1"), allowed());
    assert_said(false, &list, &text("src2"), allowed());
    assert_said(false, &list, &text(""), denied(" is not whitelisted"));
    assert_eq!(judge(false).validity(), Validity { duration: Duration::from_secs(300), uses: Some(10_000) });
}

#[test]
fn s4_14_a_blacklist() {
    let list = entries(EntryType::Strings, "", &["src1", "src2"]);
    assert_said(true, &list, &text("src1"), denied("src1 is blacklisted"));
    assert_said(true, &list, &text(""), allowed());
    assert_said(true, &list, &text("src3"), allowed());
}

#[test]
fn s4_14_a_whitelist_of_addresses() {
    let list = entries(EntryType::IpAddresses, "", &["10.57.0.0/16"]);
    for (inside, value) in [
        (false, text("10.56.0.1")),
        (false, Value::address(&[10, 56, 0, 1])),
        (false, Value::address(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 56, 0, 1])),
        (true, text("10.57.0.1")),
        (true, Value::address(&[10, 57, 0, 1])),
        (true, Value::address(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 57, 0, 1])),
        (true, text("::ffff:10.57.0.1")),
        (true, Value::from("::ffff:10.57.0.1".parse::<std::net::IpAddr>().unwrap())),
    ] {
        assert_said(false, &list, &value, if inside { allowed() } else { denied("10.56.0.1 is not whitelisted") });
    }
}

#[test]
fn s4_15_addresses() {
    let body = r#"{"whitelist": ["10.10.11.2", "10.10.11.3", "9.9.9.9/28"]}"#;
    let list = entries(EntryType::IpAddresses, body, &["11.11.11.11"]);
    assert_eq!(list.count(), 4);
    for (value, white, black) in [
        ("10.10.11.2", allowed(), denied("10.10.11.2 is blacklisted")),
        ("9.9.9.1", allowed(), denied("9.9.9.1 is blacklisted")),
        ("120.10.11.2", denied("120.10.11.2 is not whitelisted"), allowed()),
        ("11.11.11.11", allowed(), denied("11.11.11.11 is blacklisted")),
        ("XYZ", invalid("XYZ is not a valid IP address"), invalid("XYZ is not a valid IP address")),
        ("", invalid(" is not a valid IP address"), invalid(" is not a valid IP address")),
    ] {
        assert_said(false, &list, &text(value), white);
        assert_said(true, &list, &text(value), black);
    }
}

#[test]
fn s4_15_strings() {
    let list = entries(EntryType::Strings, "ABC\nDEF", &["OVERRIDE"]);
    for (value, is_there) in [("ABC", true), ("DEF", true), ("GHI", false), ("OVERRIDE", true), ("abc", false), ("override", false)] {
        assert_said(false, &list, &text(value), if is_there { allowed() } else { denied(&format!("{value} is not whitelisted")) });
        assert_said(true, &list, &text(value), if is_there { denied(&format!("{value} is blacklisted")) } else { allowed() });
    }
}

#[test]
fn s4_15_strings_in_any_case() {
    let list = entries(EntryType::CaseInsensitiveStrings, "AbC\nDeF", &["Override"]);
    for (value, is_there) in [("ABC", true), ("DEF", true), ("GHI", false), ("OVERRIDE", true), ("abc", true), ("override", true)] {
        assert_said(false, &list, &text(value), if is_there { allowed() } else { denied(&format!("{value} is not whitelisted")) });
    }
}

#[test]
fn s4_15_strings_without_a_service() {
    let list = entries(EntryType::Strings, "", &["OVERRIDE"]);
    for (value, is_there) in [("ABC", false), ("OVERRIDE", true), ("abc", false), ("override", false)] {
        assert_said(false, &list, &text(value), if is_there { allowed() } else { denied(&format!("{value} is not whitelisted")) });
    }
}

/// The body is YAML, which is read line by line as regular expressions all the same.
#[test]
fn s4_15_regular_expressions() {
    let list = entries(EntryType::Regex, "whitelist:\n- a+.*\n- efg\n", &["a*b"]);
    assert_eq!(list.count(), 4);
    assert_said(false, &list, &text("abc"), allowed());
    assert_said(false, &list, &text("B"), denied("B is not whitelisted"));
    assert_said(true, &list, &text("abc"), denied("abc is blacklisted"));
}

#[test]
fn a_regular_expression_may_match_anywhere_unless_it_says_otherwise() {
    let list = entries(EntryType::Regex, r"^/admin(/|$)", &[r"\.example\.com$"]);
    for (value, is_there) in
        [("/admin", true), ("/admin/x", true), ("/administrator", false), ("/x/admin", false), ("a.example.com", true), ("a.example.com.org", false)]
    {
        assert_eq!(list.contains(&text(value)), Ok(is_there), "{value}");
    }
}

#[test]
fn nothing_is_trimmed_and_empty_lines_are_no_entries() {
    let list = entries(EntryType::Strings, "ABC\r\n\n DEF\n\nGHI \n", &[]);
    assert_eq!(list.count(), 3);
    for (value, is_there) in [("ABC\r", true), ("ABC", false), (" DEF", true), ("DEF", false), ("GHI ", true), ("", false)] {
        assert_eq!(list.contains(&text(value)), Ok(is_there), "{value:?}");
    }
}

/// Letter by letter, as Go does it.
#[test]
fn letters_of_all_alphabets_have_capitals() {
    let list = entries(EntryType::CaseInsensitiveStrings, "Zoë\nΑθήνα\nstraße", &[]);
    for (value, is_there) in [("ZOË", true), ("αθήνα", true), ("STRAßE", true), ("STRASSE", false), ("zoe", false)] {
        assert_eq!(list.contains(&text(value)), Ok(is_there), "{value}");
    }
}

#[test]
fn a_value_is_looked_up_as_what_it_is() {
    let (texts, networks) = (entries(EntryType::Strings, "10.0.0.1\n::1", &[]), entries(EntryType::IpAddresses, "10.0.0.1\n::1", &[]));
    let last = |last: u8| [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
    for list in [&texts, &networks] {
        assert_said(false, list, &Value::address(&[10, 0, 0, 1]), allowed());
        assert_said(false, list, &Value::address(&last(1)), allowed());
        assert_said(false, list, &Value::address(&last(2)), denied("::2 is not whitelisted"));
        assert_said(false, list, &Value::address(&[10, 0, 0]), invalid("?0a0000 is not a valid string or IP address"));
        assert_said(true, list, &Value::address(b""), invalid("? is not a valid string or IP address"));
        assert_said(true, list, &Value::text(b"a\xff"), invalid("a\u{fffd} is not a valid string or IP address"));
    }
    assert_eq!(Value::text(b"10.0.0.1"), text("10.0.0.1"));
}

/// Of two values of a header the upstream may take the one that was not looked up.
#[test]
fn of_several_values_none_is_the_value() {
    let list = entries(EntryType::Strings, "a\na, b\n", &[]);
    assert_eq!(Value::only(["a"].iter()), text("a"));
    assert_eq!(Value::only([""; 0].iter()), text(""));
    for blacklist in [false, true] {
        assert_said(blacklist, &list, &Value::only(["a", "b"].iter()), invalid("a, b is not a valid string or IP address"));
    }
    assert_ne!(Value::only(["a", "b"].iter()), text("a, b"), "what was decided of one must not be found for the other");
}

#[test]
fn what_is_no_entry_is_named() {
    for (entry_type, body, expected) in [
        (EntryType::IpAddresses, "10.0.0.1\nX", r#""X" is neither an IP address nor a network such as 10.0.0.0/8"#),
        (EntryType::IpAddresses, r#"{"whitelist": ["10.0.0.0/33"]}"#, r#""10.0.0.0/33" is neither an IP address"#),
        (EntryType::IpAddresses, r#"["JUNK"]"#, r#"the list is not {"whitelist": [addresses]}: "#),
        (EntryType::Regex, "ABC\n[(\n])", r#""[(" is not a regular expression: "#),
        (EntryType::Regex, "(\\w{200}){200}", r#""(\\w{200}){200}" is not a regular expression: "#),
    ] {
        let error = Entries::parse(entry_type, body.as_bytes(), &[]).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    for entry_type in [EntryType::Strings, EntryType::CaseInsensitiveStrings, EntryType::IpAddresses, EntryType::Regex] {
        assert_eq!(Entries::parse(entry_type, b"a\xff", &[]).unwrap_err(), EntryError::NotText);
    }
    let long = Entries::parse(EntryType::IpAddresses, "é".repeat(100_000).as_bytes(), &[]).unwrap_err().to_string();
    assert!(long.len() < 300, "{long}");
}

/// What comes from a service may be anything: it is a list, or an error.
#[test]
fn no_document_makes_it_panic() {
    const PIECES: [&[u8]; 36] = [
        b"whitelist",
        b":",
        b" ",
        b"\n",
        b"\r\n",
        b"- ",
        b"[",
        b"]",
        b"{",
        b"}",
        b"\"",
        b"'",
        b",",
        b"10.0.0.1",
        b"/8",
        b"/129",
        b"::1",
        b"::ffff:1.2.3.4",
        b"/96",
        b"&a",
        b"*a",
        b"#",
        b"---",
        b"...",
        b"%YAML 1.2",
        b"|",
        b">",
        b"!!str",
        b"(",
        b")",
        b"a*",
        b"{9}",
        b"\\",
        b"\xff",
        b"\t",
        "é".as_bytes(),
    ];
    let mut random = 1_u32;
    let mut next = |below: usize| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 8) as usize % below
    };
    let (mut read, mut refused) = (0, 0);
    for _ in 0..6000 {
        let body: Vec<u8> = (0..next(24)).flat_map(|_| PIECES[next(PIECES.len())]).copied().collect();
        for entry_type in [EntryType::Strings, EntryType::CaseInsensitiveStrings, EntryType::IpAddresses, EntryType::Regex] {
            match Entries::parse(entry_type, &body, &[]) {
                Ok(list) => {
                    read += 1;
                    let _ = list.contains(&text("10.0.0.1"));
                }
                Err(error) => {
                    refused += 1;
                    assert!(!error.to_string().is_empty());
                }
            }
        }
    }
    assert!(read > 1000 && refused > 1000, "{read} {refused}");
}

/// Brackets may be nested as deep as a body is long.
#[test]
fn depth_does_not_matter() {
    for piece in ["[", "{a: ", "- ", "{\"a\":["] {
        let body = format!("x: 1\ny: {}", piece.repeat(50_000));
        assert!(Entries::parse(EntryType::IpAddresses, body.as_bytes(), &[]).is_err());
        assert!(Entries::parse(EntryType::IpAddresses, piece.repeat(50_000).as_bytes(), &[]).is_err());
    }
    assert!(Entries::parse(EntryType::Regex, "(".repeat(50_000).as_bytes(), &[]).is_err());
}
