//! Names of a subject, as [RFC 2253](https://www.rfc-editor.org/rfc/rfc2253#section-2.4) has them in text, and as BoringSSL writes them.

/// One name.
pub(super) fn escaped(name: &str) -> String {
    let last = name.chars().count().saturating_sub(1);
    let mut text = String::new();
    for (at, character) in name.chars().enumerate() {
        match character {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' => text.extend(['\\', character]),
            ' ' if at == 0 || at == last => text.extend(['\\', ' ']),
            '#' if at == 0 => text.extend(['\\', '#']),
            ' '..='~' => text.push(character),
            _ => character.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| text.push_str(&format!("\\{byte:02X}"))),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn names_are_escaped() {
        for (name, text) in [
            ("cart", "cart"),
            ("a, b", "a\\, b"),
            (" a ", "\\ a\\ "),
            ("#1", "\\#1"),
            ("1#", "1#"),
            ("Zo\u{eb}", "Zo\\C3\\AB"),
            ("a\n", "a\\0A"),
            ("", ""),
        ] {
            assert_eq!(escaped(name), text, "{name:?}");
        }
    }
}
