//! Bodies in pieces: what comes out does not depend on where they were cut.

use arbitrary::Unstructured;
use inproxy::codec::{CodecError, lines, sse};

/// What a decoder made of a body: items, then what ended it.
type Decoded<T> = (Vec<T>, Result<Option<T>, CodecError>);

/// First the limit and where to cut, then the body.
pub(crate) fn fuzz(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let limit = usize::from(input.arbitrary::<u8>().unwrap_or_default());
    let cut = usize::from(input.arbitrary::<u8>().unwrap_or_default()) % 16 + 1;
    let body = input.take_rest();

    let events = |size| decode(body, size, sse::Decoder::new(limit), sse::Decoder::push, sse::Decoder::finish);
    let whole = events(usize::MAX);
    assert_eq!(events(cut), whole, "events in pieces of {cut}, of up to {limit}");
    for event in whole.0.iter().chain(whole.1.iter().flatten()) {
        let kept = [&event.event, &event.data, &event.id].into_iter().flatten().map(String::len).sum::<usize>();
        assert!(kept <= limit, "{kept} bytes, where {limit} may be kept");
        again(event);
    }

    let split = |size| decode(body, size, lines::Decoder::new(limit), lines::Decoder::push, lines::Decoder::finish);
    let whole = split(usize::MAX);
    assert_eq!(split(cut), whole, "lines in pieces of {cut}, of up to {limit}");
    let plain = body.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    for (line, plain) in whole.0.iter().zip(plain) {
        assert_eq!(line.as_bytes(), plain);
        let _ = (line.is_blank(), line.json::<serde_json::Value>());
    }
}

fn decode<D, T>(
    body: &[u8],
    size: usize,
    mut decoder: D,
    push: fn(&mut D, &[u8]) -> Result<Vec<T>, CodecError>,
    finish: fn(D) -> Result<Option<T>, CodecError>,
) -> Decoded<T> {
    let mut items = Vec::new();
    for piece in body.chunks(size) {
        match push(&mut decoder, piece) {
            Ok(more) => items.extend(more),
            Err(error) => return (items, Err(error)),
        }
    }
    (items, finish(decoder))
}

/// An event that is written is read again as itself.
fn again(event: &sse::Event) {
    let written = event.encode();
    let mut decoder = sse::Decoder::new(usize::MAX);
    let read = decoder.push(&written).unwrap();
    let [read] = &read[..] else {
        let nothing = event.event.is_none() && event.data.is_none() && event.id.is_none() && event.retry.is_none();
        assert!(read.is_empty() && nothing, "one event was written as {read:?}");
        return;
    };
    assert_eq!(read, event, "written as {}", written.escape_ascii());
}
