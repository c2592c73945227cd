use super::*;

/// All events, then either what is left or the error.
type Decoded = (Vec<Event>, Result<Option<Event>, CodecError>);

fn decode<'a>(limit: usize, pieces: impl IntoIterator<Item = &'a [u8]>) -> Decoded {
    let mut decoder = Decoder::new(limit);
    let mut events = Vec::new();
    for piece in pieces {
        match decoder.push(piece) {
            Ok(some) => events.extend(some),
            Err(error) => return (events, Err(error)),
        }
    }
    (events, decoder.finish())
}

/// The same, whole, byte by byte, and cut at any two places.
fn decode_in_all_ways(limit: usize, bytes: &[u8]) -> Decoded {
    let decoded = decode(limit, [bytes]);
    let shown = bytes.escape_ascii();
    assert_eq!(decode(limit, bytes.chunks(1)), decoded, "{shown} byte by byte");
    for first in 0..=bytes.len() {
        for second in first..=bytes.len() {
            let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
            assert_eq!(decode(limit, pieces), decoded, "{shown} cut at {first} and {second}");
        }
    }
    decoded
}

fn message(data: &str) -> Event {
    Event::message(data)
}

fn typed(event: &str, data: &str) -> Event {
    Event { event: Some(event.to_owned()), ..message(data) }
}

fn id(id: &str) -> Event {
    Event { id: Some(id.to_owned()), ..Event::default() }
}

fn retry(milliseconds: u64) -> Event {
    Event { retry: Some(Duration::from_millis(milliseconds)), ..Event::default() }
}

#[test]
fn events_are_those_of_the_standard_however_they_are_cut() {
    for (bytes, events) in [
        (&b""[..], vec![]),
        (b"\n\n\n", vec![]),
        (b"data: a\n\n", vec![message("a")]),
        (b"data:a\n\n", vec![message("a")]),
        (b"data:  a \n\n", vec![message(" a ")]),
        (b"data:\n\n", vec![message("")]),
        (b"data\n\n", vec![message("")]),
        // Examples of the standard.
        (b"data: YHOO\ndata: +2\ndata: 10\n\n", vec![message("YHOO\n+2\n10")]),
        (
            b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
            vec![
                Event { id: Some("1".into()), ..message("first event") },
                Event { id: Some(String::new()), ..message("second event") },
                message(" third event"),
            ],
        ),
        (b"data\n\ndata\ndata\n\ndata:", vec![message(""), message("\n")]),
        (b"data:test\n\ndata: test\n\n", vec![message("test"), message("test")]),
        // Ends of lines.
        (b"data: a\r\n\r\ndata: b\r\n\r\n", vec![message("a"), message("b")]),
        (b"data: a\r\rdata: b\r\r", vec![message("a"), message("b")]),
        (b"data: a\r\n\ndata: b\n\r\n", vec![message("a"), message("b")]),
        (b"data: a\n\rdata: b\r\n\r", vec![message("a"), message("b")]),
        (b"data: a\r\ndata: b\r\n\r\n", vec![message("a\nb")]),
        // The byte order mark, once and at the start.
        (b"\xef\xbb\xbfdata: a\n\n", vec![message("a")]),
        (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n", vec![]),
        (b"data: a\n\n\xef\xbb\xbfdata: b\n\n", vec![message("a")]),
        (b"\xef\xbbdata: a\n\n", vec![]),
        (b"\xef\xbb\xbf\n\ndata: a\n\n", vec![message("a")]),
        // Comments and unknown fields.
        (b":\n\n:ping\n\n: data: a\n\n", vec![]),
        (b"data: a\n:ping\ndata: b\nother: c\nDATA: d\n data: e\n\n", vec![message("a\nb")]),
        (b"data: a:b: c\n\n", vec![message("a:b: c")]),
        // Types, ids and times.
        (b"event: add\ndata: 73\n\nevent: remove\nevent: x\ndata: 21\n\n", vec![typed("add", "73"), typed("x", "21")]),
        (b"event:\ndata: a\n\nevent: x\nevent\ndata: b\n\n", vec![message("a"), message("b")]),
        (b"event: only\n\n", vec![Event { event: Some("only".into()), ..Event::default() }]),
        (b"id: 1\n\nid: a\0b\n\nid: 2\nid: a\0b\n\n", vec![id("1"), id("2")]),
        (b"retry: 0\n\nretry: 1500\n\n", vec![retry(0), retry(1500)]),
        (b"retry: 1\nretry: -5\nretry: 1s\nretry\nretry: 99999999999999999999\nretry:  7\n\n", vec![retry(1)]),
        // What is not UTF-8.
        ("data: zoë…\n\n".as_bytes(), vec![message("zoë…")]),
        (b"data: \xff\xc3\n\n", vec![message("\u{fffd}\u{fffd}")]),
    ] {
        let (decoded, _) = decode_in_all_ways(1024, bytes);
        assert_eq!(decoded, events, "{}", bytes.escape_ascii());
    }
}

#[test]
fn what_a_body_breaks_off_in_is_told_apart() {
    for (bytes, left) in [
        (&b"data: a\n\n"[..], None),
        (b"data: a", Some(message("a"))),
        (b"data: a\n", Some(message("a"))),
        (b"data: a\r", Some(message("a"))),
        (b"data: a\n\n: ping", None),
        (b"\xef\xbb\xbfdata: a", Some(message("a"))),
    ] {
        assert_eq!(decode_in_all_ways(1024, bytes).1, Ok(left), "{}", bytes.escape_ascii());
    }
}

#[test]
fn an_event_that_is_too_long_is_an_error_behind_those_before_it() {
    let too_long = CodecError::TooLong { what: "an event", limit: 10 };
    for (bytes, before, end) in [
        (&b"data: 1234\n\n"[..], 1, Ok(None)),
        (b"data: 12345\n\n", 0, Err(too_long)),
        (b"data: 12345", 0, Err(too_long)),
        // What was kept of earlier lines counts, their names and ends do not.
        (b"data:1\ndata:2\ndata:3\n\n", 1, Ok(None)),
        (b"data:123\ndata:45\n\n", 1, Ok(None)),
        (b"data:123\ndata:456\n\n", 0, Err(too_long)),
        (b"id:123\nevent:4567\n\n", 0, Err(too_long)),
        // Comments are not kept, but a line of one must end.
        (b":1234567\n:1234567\n:1234567\n", 0, Ok(None)),
        (b":1234567890\n", 0, Err(too_long)),
        (b"data:\xff\xff\xff\n\n", 1, Ok(None)),
        (b"data:\xff\xff\xff\xff\n\n", 0, Err(too_long)),
        (b"data:\xff\xff\xff\xff", 0, Err(too_long)),
        (b"data: 1\n\ndata: 2\n\ndata: 12345\n\ndata: 3\n\n", 2, Err(too_long)),
    ] {
        let (events, ended) = decode_in_all_ways(10, bytes);
        assert_eq!((events.len(), ended), (before, end), "{}", bytes.escape_ascii());
    }
}

#[test]
fn an_error_stays() {
    let mut decoder = Decoder::new(4);
    for _ in 0..2 {
        assert_eq!(decoder.push(b"data: 12345\n\nid\n\n").unwrap_err().to_string(), "an event has more than 4 bytes");
    }
    assert!(decoder.finish().is_err());
}

#[test]
fn whatever_the_bytes_it_ends_the_same_however_they_are_cut() {
    // What matters to the decoder, in any order.
    const WORDS: [&[u8]; 10] = [b"data", b":", b" ", b"\r", b"\n", b"id", b"\xef\xbb\xbf", b"\xff", b"event: x", b"\0"];
    let mut random = 7_u32;
    for _ in 0..2_000 {
        let mut bytes = Vec::new();
        for _ in 0..8 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            bytes.extend_from_slice(WORDS[(random >> 24) as usize % WORDS.len()]);
        }
        let _ = decode_in_all_ways(12, &bytes);
    }
}

#[test]
fn an_event_is_had_back_from_what_is_sent() {
    for (event, sent) in [
        (message("a"), "data: a\n\n"),
        (message(""), "data: \n\n"),
        (message("\n\n"), "data: \ndata: \ndata: \n\n"),
        (message(" a\n b"), "data:  a\ndata:  b\n\n"),
        (typed("x", ": y"), "event: x\ndata: : y\n\n"),
        (id(""), "id: \n\n"),
        (retry(1500), "retry: 1500\n\n"),
        (
            Event { event: Some("e".into()), data: Some("d".into()), id: Some("i".into()), retry: Some(Duration::from_secs(1)) },
            "event: e\ndata: d\nid: i\nretry: 1000\n\n",
        ),
    ] {
        assert_eq!(String::from_utf8(event.encode()).unwrap(), sent);
        assert_eq!(decode(1024, [&*event.encode()]), (vec![event], Ok(None)));
    }
    assert_eq!(Event::default().encode(), b"");
}

#[test]
fn a_field_cannot_make_another_event() {
    let event = Event { event: Some("a\ndata: x\r\n\r\n".into()), data: Some("1\r2\r\n3\n\r4".into()), id: Some("i\0\n\nid: 7".into()), retry: None };
    let sent = event.encode();
    assert_eq!(sent, b"event: adata: x\ndata: 1\ndata: 2\ndata: 3\ndata: \ndata: 4\nid: iid: 7\n\n");
    let (events, left) = decode(1024, [&*sent]);
    assert_eq!((events.len(), left), (1, Ok(None)));
    assert_eq!(events[0].data.as_deref(), Some("1\n2\n3\n\n4"));
}
