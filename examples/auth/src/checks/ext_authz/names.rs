/// Which headers: `x-user` is one, `x-user-*` all that begin so, `*-user` all that end so, and `*` is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names(Vec<Name>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    Exact(String),
    Prefix(String),
    Suffix(String),
}

/// A pattern can name no header.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no header: write a name, its beginning as in \"x-user-*\", its end as in \"*-user\", or \"*\"")]
pub(crate) struct NotAName(String);

// === impl Names ===

impl Names {
    pub(crate) fn try_new(patterns: &[String]) -> Result<Self, NotAName> {
        patterns.iter().map(|pattern| Name::try_new(pattern)).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a header, whose name is in lower case, is one of them.
    pub(crate) fn have(&self, name: &str) -> bool {
        self.0.iter().any(|one| match one {
            Name::Exact(exact) => name == exact,
            Name::Prefix(prefix) => name.starts_with(prefix),
            Name::Suffix(suffix) => name.ends_with(suffix),
        })
    }
}

// === impl Name ===

impl Name {
    fn try_new(pattern: &str) -> Result<Self, NotAName> {
        let lower = pattern.to_ascii_lowercase();
        let name = match (lower.strip_suffix('*'), lower.strip_prefix('*')) {
            (Some(prefix), _) => Self::Prefix(prefix.to_owned()),
            (None, Some(suffix)) => Self::Suffix(suffix.to_owned()),
            (None, None) => Self::Exact(lower.clone()),
        };
        let (Self::Exact(part) | Self::Prefix(part) | Self::Suffix(part)) = &name;
        if lower != "*" && (part.is_empty() || !part.strip_prefix(':').unwrap_or(part).bytes().all(is_token)) {
            return Err(NotAName(pattern.to_owned()));
        }
        Ok(name)
    }
}

/// Whether a header of this name can be, and is one of a message as a whole, not of one connection that it goes over, nor of its framing. The name is in lower case.
pub(super) fn is_end_to_end(name: &str) -> bool {
    const OF_A_CONNECTION: [&str; 9] =
        ["connection", "content-length", "expect", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"];
    is_name(name) && !OF_A_CONNECTION.contains(&name)
}

/// Whether it is the name of a header, and not of a pseudo header.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(is_token)
}

/// Whether it can be the value of a header, and does not end it.
pub(super) fn is_value(value: &[u8]) -> bool {
    !value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0))
}

const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(patterns: &[&str]) -> Result<Names, NotAName> {
        Names::try_new(&patterns.iter().map(|pattern| (*pattern).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_name_its_beginning_and_its_end_name_headers() {
        let some = names(&["X-User", "x-auth-*", "*-id", "set-cookie"]).unwrap();
        for (name, has) in
            [("x-user", true), ("x-users", false), ("x-auth-role", true), ("x-aut", false), ("x-request-id", true), ("id", false), ("cookie", false)]
        {
            assert_eq!(some.have(name), has, "{name}");
        }
        assert!(names(&["*"]).unwrap().have("anything"));
        assert!(!names(&[]).unwrap().have("anything"));
    }

    #[test]
    fn what_names_no_header_is_refused() {
        for pattern in ["", "x user", "x-\n", "a:b", "ä"] {
            assert!(names(&[pattern]).is_err(), "{pattern:?}");
        }
    }

    #[test]
    fn what_belongs_to_a_connection_is_not_carried_over() {
        for (name, carried) in
            [("x-user", true), ("host", true), ("connection", false), ("content-length", false), (":path", false), ("", false), ("a b", false)]
        {
            assert_eq!(is_end_to_end(name), carried, "{name}");
        }
        assert!(is_value(b"a\tb\xff") && !is_value(b"a\r\nb") && !is_value(b"\0"));
    }
}
