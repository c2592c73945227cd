//! A `cookie` header: `name=value` between semicolons, [RFC 6265](https://www.rfc-editor.org/rfc/rfc6265#section-4.2.1).

/// All values of a cookie, without the quotes that may be around them.
pub(super) fn values(header: &[u8], name: &str) -> Vec<Vec<u8>> {
    cookies(header).filter_map(|cookie| pair(cookie).filter(|(known, _)| *known == name.as_bytes())).map(|(_, value)| value.to_vec()).collect()
}

/// The header without a cookie; the others are as they were, byte for byte. It is empty if there is none; `None` if the cookie is not there.
pub(crate) fn without(header: &[u8], name: &str) -> Option<Vec<u8>> {
    let is_it = |cookie: &[u8]| pair(cookie).is_some_and(|(known, _)| known == name.as_bytes());
    let rest: Vec<&[u8]> = cookies(header).filter(|cookie| !is_it(cookie)).collect();
    if rest.len() == cookies(header).count() {
        return None;
    }
    if rest.iter().all(|cookie| cookie.trim_ascii().is_empty()) {
        return Some(Vec::new());
    }
    Some(rest.join(&b';').trim_ascii_start().to_vec())
}

fn cookies(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    header.split(|byte| *byte == b';')
}

fn pair(cookie: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, value) = cookie.split_at_checked(cookie.iter().position(|byte| *byte == b'=')?)?;
    let value = value.get(1..)?.trim_ascii();
    let unquoted = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    Some((name.trim_ascii(), unquoted.unwrap_or(value)))
}
