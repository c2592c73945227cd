//! A list that is fetched, and what becomes of it.

use super::*;

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Fetched again every minute, kept for three.
fn remote(entry_type: EntryType, overrides: &[&str]) -> Remote {
    Remote::new(entry_type, overrides.iter().map(|&entry| entry.to_owned()).collect(), s(60), s(180))
}

fn fetched(remote: &mut Remote, body: &str, now: u64) -> Result<News, String> {
    remote.fetched(Ok(body.into()), s(now))
}

fn failed(remote: &mut Remote, reason: &str, now: u64) {
    assert_eq!(remote.fetched(Err(reason.to_owned()), s(now)), Err(reason.to_owned()));
}

/// Whether a value is on the list, if there is one.
fn has(remote: &Remote, value: &str, now: u64) -> Option<bool> {
    remote.entries(s(now)).ok().map(|entries| entries.contains(&text(value)).unwrap())
}

#[test]
fn s4_15_addresses_that_are_fetched_again() {
    let mut list = remote(EntryType::IpAddresses, &["11.11.11.11"]);
    let body = "whitelist:\n- 10.10.11.2\n- 10.10.11.3\n- 9.9.9.9/28\n";
    assert_eq!(fetched(&mut list, body, 0), Ok(News::Installed(4)));
    assert_eq!(fetched(&mut list, body, 1), Ok(News::Unchanged));
    for (body, fault) in [("whitelist:\n- 10.10.11.2\n- X\n- 10.10.11.3\n", r#""X" is neither"#), ("- JUNK\n", "the list is not {")] {
        assert!(fetched(&mut list, body, 2).unwrap_err().starts_with(fault));
        assert_eq!(list.entries(s(2)).map(Entries::count), Ok(4));
        assert_eq!(has(&list, "9.9.9.1", 2), Some(true));
    }
}

#[test]
fn s4_15_an_invalid_regular_expression_does_not_replace_the_list() {
    let mut list = remote(EntryType::Regex, &["a*b"]);
    assert!(fetched(&mut list, "ABC\n[(\n])", 0).unwrap_err().starts_with(r#""[(" is not a regular expression"#));
    assert_eq!(has(&list, "ab", 0), None, "of a list that was never there the overrides are not there either");
    assert_eq!(fetched(&mut list, "whitelist:\n- a+.*\n- efg\n", 1), Ok(News::Installed(4)));
    assert!(fetched(&mut list, "whitelist:\n- 10.10.11.2\n- (\n", 2).is_err());
    assert_eq!((has(&list, "abc", 2), has(&list, "10.10.11.2", 2)), (Some(true), Some(false)));
}

#[test]
fn s4_15_a_service_that_cannot_be_asked_is_an_error() {
    let mut list = remote(EntryType::Strings, &["JUNK"]);
    assert_eq!(list.entries(s(0)).map(Entries::count), Err(None), "nobody knows yet");
    failed(&mut list, "it answered with status 500", 0);
    assert_eq!(list.entries(s(0)).map(Entries::count), Err(Some("it answered with status 500")));
}

#[test]
fn s4_15_a_list_that_is_not_fetched_again_is_purged() {
    let mut list = remote(EntryType::Strings, &[]);
    fetched(&mut list, "ABC", 0).unwrap();
    for now in [60, 120] {
        failed(&mut list, &format!("status 301 at {now}"), now);
        assert_eq!(has(&list, "ABC", now), Some(true));
    }
    assert_eq!(has(&list, "ABC", 179), Some(true));
    assert_eq!(list.entries(s(180)).map(Entries::count), Err(Some("status 301 at 120")));
    failed(&mut list, "status 301 at 180", 180);
    assert_eq!(list.entries(s(180)).map(Entries::count), Err(Some("status 301 at 180")));
    // The same body is a list anew.
    assert_eq!(fetched(&mut list, "ABC", 240), Ok(News::Installed(1)));
    assert_eq!(has(&list, "ABC", 240), Some(true));
}

#[test]
fn an_unchanged_body_only_keeps_the_list_from_being_purged() {
    let mut list = remote(EntryType::Strings, &[]);
    fetched(&mut list, "ABC", 0).unwrap();
    failed(&mut list, "once", 60);
    assert_eq!(fetched(&mut list, "ABC", 170), Ok(News::Unchanged));
    assert_eq!(has(&list, "ABC", 349), Some(true));
    assert_eq!(list.entries(s(350)).map(Entries::count), Err(Some("it was not fetched again in time")));
}

#[test]
fn a_body_that_cannot_be_read_does_not_keep_the_list_from_being_purged() {
    let mut list = remote(EntryType::IpAddresses, &[]);
    fetched(&mut list, "10.0.0.1", 0).unwrap();
    for now in [60, 120, 180] {
        fetched(&mut list, "X", now).unwrap_err();
    }
    assert_eq!(has(&list, "10.0.0.1", 180), None);
}

#[test]
fn without_a_list_it_is_asked_for_sooner() {
    let mut list = remote(EntryType::Strings, &[]);
    let mut pauses = Vec::new();
    for now in 0..8 {
        failed(&mut list, "down", now);
        pauses.push(list.pause(s(now)).as_secs());
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
    fetched(&mut list, "ABC", 8).unwrap();
    assert_eq!(list.pause(s(8)), s(60));
    failed(&mut list, "down", 68);
    assert_eq!(list.pause(s(68)), s(60), "there still is one");
    failed(&mut list, "down", 188);
    assert_eq!(list.pause(s(188)), s(2));
}
