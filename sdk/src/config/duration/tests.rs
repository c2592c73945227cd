use std::time;

use super::*;
use crate::config::parse;

#[derive(Debug, Deserialize)]
struct Settings {
    #[expect(dead_code, reason = "it is only read")]
    timeout: Duration,
}

fn nanoseconds(text: &str) -> u128 {
    text.parse::<Duration>().unwrap_or_else(|error| panic!("{text}: {error}")).get().as_nanos()
}

#[test]
fn the_forms_of_protocol_buffers_and_of_go_are_read() {
    for (text, expected) in [
        ("0s", 0),
        ("5s", 5_000_000_000),
        ("0.2s", 200_000_000),
        ("1.5s", 1_500_000_000),
        ("1.000340012s", 1_000_340_012),
        ("200ms", 200_000_000),
        ("1.5ms", 1_500_000),
        ("7us", 7_000),
        ("7\u{b5}s", 7_000),
        ("7\u{3bc}s", 7_000),
        ("3ns", 3),
        ("1m30s", 90_000_000_000),
        ("1h45m0.5s", 6_300_500_000_000),
        ("1.5h", 5_400_000_000_000),
        ("0.25m", 15_000_000_000),
        ("2h0m0s", 7_200_000_000_000),
        ("007s", 7_000_000_000),
        ("1s1h1s", 3_602_000_000_000),
        ("1.123456789999s", 1_123_456_789),
        ("0.9ns", 0),
    ] {
        assert_eq!(nanoseconds(text), expected, "{text}");
    }
}

#[test]
fn what_is_no_duration_is_refused_with_the_fault_and_the_mend() {
    for (text, expected) in [
        ("", "a duration must not be empty: write for example 5s, 200ms or 1m30s"),
        ("5", "\"5\" has a number without a unit: write for example 5s, 200ms or 1m30s"),
        ("1m30", "\"1m30\" has a number without a unit: write for example 5s, 200ms or 1m30s"),
        ("-5s", "\"-5s\" is negative, which no time span can be here"),
        ("5d", "\"d\" is not a unit of time: there are h, m, s, ms, us and ns"),
        ("5M", "\"M\" is not a unit of time: there are h, m, s, ms, us and ns"),
        ("5 s", "\" s\" is not a unit of time: there are h, m, s, ms, us and ns"),
        ("1m-30s", "\"m-\" is not a unit of time: there are h, m, s, ms, us and ns"),
        ("5\u{e9}", "\"\\xc3\\xa9\" is not a unit of time: there are h, m, s, ms, us and ns"),
    ] {
        assert_eq!(text.parse::<Duration>().unwrap_err().to_string(), expected);
    }
    for text in ["s", "+5s", ".5s", "1.s", "1..5s", "1.5.5s", "5s.", "1e3s", "0x5s", " 5s", "5s ", "\u{665}s", "inf", "\0"] {
        assert!(text.parse::<Duration>().is_err(), "{text:?}");
    }
}

#[test]
fn one_that_is_too_long_is_refused_and_none_is_too_long_to_look_at() {
    let digits = "9".repeat(1_000);
    assert_eq!(nanoseconds("18446744073709551615ns"), u128::from(u64::MAX));
    assert_eq!(nanoseconds("18446744073.709551615s"), u128::from(u64::MAX));
    assert_eq!(nanoseconds(&format!("0.{digits}h")) / 1_000, 3_599_999_999);
    for text in ["18446744073709551616ns", "18446744073709551615ns1ns", "18446744073.709551616s", "5124096h", &format!("{digits}s")] {
        assert!(matches!(text.parse::<Duration>(), Err(DurationError::TooLong(_))), "{text}");
    }
}

#[test]
fn it_is_written_as_it_is_read() {
    for text in ["0ns", "1ns", "1.5\u{b5}s", "200ms", "1.5s", "90s", "1.000000001s"] {
        let duration = text.parse::<Duration>().unwrap();
        assert_eq!((duration.to_string(), format!("{duration:?}")), (text.to_owned(), text.to_owned()));
    }
    assert_eq!(Duration::default().get(), time::Duration::ZERO);
    assert_eq!(time::Duration::from(Duration::from_millis(1_500)), Duration::from(time::Duration::from_millis(1_500)).get());
}

#[test]
fn a_configuration_that_is_wrong_names_the_place() {
    assert!(parse::<Settings>(br#"{"timeout":"1m30s"}"#).is_ok());
    for (json, expected) in [
        (r#"{"timeout":5}"#, "timeout: invalid type: integer `5`, expected a text with a unit, such as \"5s\", \"200ms\" or \"1m30s\""),
        (r#"{"timeout":0.2}"#, "timeout: invalid type: floating point `0.2`, expected a text with a unit, such as \"5s\""),
        (r#"{"timeout":null}"#, "timeout: invalid type: null, expected a text with a unit"),
        (r#"{"timeout":"5"}"#, "timeout: \"5\" has a number without a unit: write for example 5s"),
    ] {
        let error = parse::<Settings>(json.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{json}: {error}");
    }
}
