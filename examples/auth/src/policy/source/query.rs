//! The query of a path: `name=value` between `&`, [percent-encoded](https://url.spec.whatwg.org/#application/x-www-form-urlencoded).

/// All values of a parameter.
pub(super) fn values(path: &[u8], name: &str) -> Vec<Vec<u8>> {
    let Some((_, query)) = split(path) else { return Vec::new() };
    parameters(query).filter_map(|parameter| decoded(parameter).filter(|(known, _)| known == name)).map(|(_, value)| value.into_bytes()).collect()
}

/// The path without a parameter; all else is as it was, byte for byte, but for a `?` with nothing behind it. `None` if the parameter is not there.
pub(crate) fn without(path: &[u8], name: &str) -> Option<Vec<u8>> {
    let (before, query) = split(path)?;
    let is_it = |parameter: &[u8]| decoded(parameter).is_some_and(|(known, _)| known == name);
    let rest: Vec<&[u8]> = parameters(query).filter(|parameter| !is_it(parameter)).collect();
    if rest.len() == parameters(query).count() {
        return None;
    }
    let rest = rest.join(&b'&');
    let mut path = before.to_vec();
    if !rest.is_empty() {
        path.push(b'?');
        path.extend(rest);
    }
    Some(path)
}

fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = path.iter().position(|byte| *byte == b'?')?;
    let (before, query) = path.split_at_checked(at)?;
    Some((before, query.get(1..)?))
}

fn parameters(query: &[u8]) -> impl Iterator<Item = &[u8]> {
    query.split(|byte| *byte == b'&')
}

fn decoded(parameter: &[u8]) -> Option<(String, String)> {
    form_urlencoded::parse(parameter).next().map(|(name, value)| (name.into_owned(), value.into_owned()))
}
