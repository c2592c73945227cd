//! Header maps, and values of metadata, which are the same at any depth.

use arbitrary::Unstructured;
use inproxy::{
    abi::{Pairs, encode_pairs},
    attributes::Value,
};

/// Whatever the bytes: no more is read than there is. What was encoded is had back.
pub(crate) fn fuzz(data: &[u8]) {
    let read: Vec<_> = Pairs::new(data).collect();
    let size: usize = read.iter().map(|(name, value)| name.len() + value.len() + 10).sum();
    assert!(read.is_empty() || size + 4 <= data.len(), "{} bytes out of {}", size + 4, data.len());
    let mut borrowed = Pairs::new(data.to_vec());
    let taken = std::iter::from_fn(|| borrowed.take().map(|(name, value)| (name.to_vec(), value.to_vec())));
    assert!(taken.eq(read.iter().map(|(name, value)| (name.to_vec(), value.to_vec()))), "read in another way, it is something else");
    walk(&Value::from(data.to_vec()), 0);
    back(&mut Unstructured::new(data));
}

/// All that a value can be.
pub(crate) fn walk(value: &Value, depth: u32) {
    let _ = (value.text(), value.number(), value.int(), value.uint(), value.duration(), value.time(), value.boolean());
    let (list, map) = (value.list(), value.map());
    if let Some(list) = &list {
        let elements = list.iter().map(|element| (element.as_bytes(), &b""[..]));
        assert_eq!(encode_pairs(elements).len(), value.as_bytes().len(), "a list has bytes that are in no element");
    }
    if let Some(map) = &map {
        let entries = map.iter().map(|(key, value)| (key.as_bytes(), value.as_bytes()));
        assert_eq!(encode_pairs(entries), value.as_bytes(), "a map that is written again is another");
    }
    if depth < 8 {
        list.iter().flatten().for_each(|element| walk(element, depth + 1));
        map.iter().flatten().for_each(|(_, element)| walk(element, depth + 1));
    }
}

fn back(input: &mut Unstructured<'_>) {
    let mut pairs: Vec<(&[u8], &[u8])> = Vec::new();
    while let (Ok(pair), false) = (input.arbitrary(), input.is_empty()) {
        pairs.push(pair);
    }
    let encoded = encode_pairs(pairs.iter().copied());
    assert_eq!(Pairs::new(&*encoded).collect::<Vec<_>>(), pairs);
}
