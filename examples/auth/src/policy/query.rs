/// A path and query in which a parameter has this value and no other, where its first one was or behind all others. What would end the value is escaped; what is escaped already stays.
pub(crate) fn with_parameter(path: &[u8], name: &str, value: &str) -> Vec<u8> {
    let mut set = false;
    let written = [escaped(name).as_slice(), b"=", &escaped(value)].concat();
    let mut kept: Vec<Vec<u8>> = Vec::new();
    for parameter in parameters(path) {
        if is_called(parameter, name) {
            if !std::mem::replace(&mut set, true) {
                kept.push(written.clone());
            }
        } else {
            kept.push(parameter.to_vec());
        }
    }
    if !set {
        kept.push(written);
    }
    joined(path, &kept)
}

fn split(path: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut parts = path.splitn(2, |byte| *byte == b'?');
    (parts.next().unwrap_or_default(), parts.next())
}

fn parameters(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    split(path).1.into_iter().flat_map(|query| query.split(|byte| *byte == b'&')).filter(|parameter| !parameter.is_empty())
}

fn is_called(parameter: &[u8], name: &str) -> bool {
    let written = parameter.split(|byte| *byte == b'=').next().unwrap_or_default();
    written == name.as_bytes() || written == escaped(name)
}

fn joined(path: &[u8], parameters: &[Vec<u8>]) -> Vec<u8> {
    [split(path).0, b"?", &parameters.join(&b'&')].concat()
}

fn escaped(text: &str) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && !matches!(byte, b'&' | b'#' | b'"' | b'<' | b'>') {
            escaped.push(byte);
        } else {
            escaped.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_set_in_the_place_of_all_others_of_its_name() {
        for (path, name, value, expected) in [
            ("/a", "x", "1", "/a?x=1"),
            ("/a?", "x", "1", "/a?x=1"),
            ("/a?y=2", "x", "1", "/a?y=2&x=1"),
            ("/a?x=0&y=2&x=3", "x", "1", "/a?x=1&y=2"),
            ("/a?x&xx=3", "x", "", "/a?x=&xx=3"),
            ("/a?b=?", "x", "a&b #\r\n\u{e4}%20", "/a?b=?&x=a%26b%20%23%0D%0A%C3%A4%20"),
        ] {
            assert_eq!(String::from_utf8(with_parameter(path.as_bytes(), name, value)).unwrap(), expected);
        }
    }
}
