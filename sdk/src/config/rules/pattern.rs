//! Which hosts and paths a rule takes.

use serde::Deserialize;

use crate::error::{Quoted, debug_as_display};

/// A host, or all below one.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub(super) struct Host {
    /// In lower case; with a port, if one is meant.
    name: Box<str>,
    below: bool,
}

/// A path, or all below one.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub(super) struct Path {
    path: Box<str>,
    exact: bool,
}

#[derive(thiserror::Error)]
pub(super) enum PatternError {
    #[error("{} is not a host: write example.com, example.com:8443, or *.example.com for all below it", Quoted(.0))]
    Host(String),
    #[error("{} is not a path: write /path for it and all below it, or =/path for it alone; without a query", Quoted(.0))]
    Path(String),
}

debug_as_display!(PatternError);

// === impl Host ===

impl Host {
    pub(super) fn takes(&self, host: &[u8]) -> bool {
        let name = self.name.as_bytes();
        if self.is(name, host) {
            return true;
        }
        // The client has named a port, which is not asked for.
        let named = host.iter().rposition(|byte| *byte == b':').and_then(|colon| Some((host.get(..colon)?, host.get(colon + 1..)?)));
        named.is_some_and(|(host, port)| !host.is_empty() && port.iter().all(u8::is_ascii_digit) && self.is(name, host))
    }

    fn is(&self, name: &[u8], host: &[u8]) -> bool {
        if !self.below {
            return host.eq_ignore_ascii_case(name);
        }
        let Some(cut) = host.len().checked_sub(name.len()) else { return false };
        let (label, rest) = (host.get(..cut).unwrap_or_default(), host.get(cut..).unwrap_or_default());
        label.len() > 1 && label.ends_with(b".") && rest.eq_ignore_ascii_case(name)
    }
}

impl TryFrom<String> for Host {
    type Error = PatternError;

    fn try_from(text: String) -> Result<Self, PatternError> {
        let (below, name) = text.strip_prefix("*.").map_or((false, &*text), |name| (true, name));
        let sound = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && !b"*/?#@,".contains(&byte)) && !name.starts_with('.');
        if sound { Ok(Self { name: name.to_ascii_lowercase().into(), below }) } else { Err(PatternError::Host(text)) }
    }
}

// === impl Path ===

impl Path {
    /// Whether it takes a path, which has no query.
    pub(super) fn takes(&self, path: &[u8]) -> bool {
        match path.strip_prefix(self.path.as_bytes()) {
            Some([]) => true,
            Some(_) if self.exact => false,
            Some(rest) => self.path.ends_with('/') || rest.starts_with(b"/"),
            None => false,
        }
    }
}

impl TryFrom<String> for Path {
    type Error = PatternError;

    fn try_from(text: String) -> Result<Self, PatternError> {
        let (exact, path) = text.strip_prefix('=').map_or((false, &*text), |path| (true, path));
        let sound = path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic() && !b"*?#".contains(&byte));
        if sound { Ok(Self { path: path.into(), exact }) } else { Err(PatternError::Path(text)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_taken_at_any_port_and_whatever_its_case() {
        for (pattern, takes, not) in [
            (
                "example.com",
                &["example.com", "EXAMPLE.com", "example.com:80"][..],
                &["a.example.com", "example.com.", "example.com:x", "xexample.com", ""][..],
            ),
            ("Example.com:8443", &["example.com:8443"], &["example.com", "example.com:80"]),
            ("*.example.com", &["a.example.com", "a.b.Example.com:80"], &["example.com", ".example.com", "aexample.com", "example.com:80"]),
            ("[::1]", &["[::1]", "[::1]:80"], &["::1", "[::2]"]),
        ] {
            let pattern = Host::try_from(pattern.to_owned()).unwrap();
            takes.iter().for_each(|host| assert!(pattern.takes(host.as_bytes()), "{pattern:?} {host}"));
            not.iter().for_each(|host| assert!(!pattern.takes(host.as_bytes()), "{pattern:?} {host}"));
        }
    }

    #[test]
    fn a_path_is_taken_with_all_below_it_or_alone() {
        for (pattern, takes, not) in [
            ("/api", &["/api", "/api/", "/api/x"][..], &["/apis", "/", "/API", "/x/api", ""][..]),
            ("/api/", &["/api/", "/api/x"], &["/api", "/apis"]),
            ("=/login", &["/login"], &["/login/", "/login/x", "/logins"]),
            ("/", &["/", "/x", "//"], &["", "*"]),
        ] {
            let pattern = Path::try_from(pattern.to_owned()).unwrap();
            takes.iter().for_each(|path| assert!(pattern.takes(path.as_bytes()), "{pattern:?} {path}"));
            not.iter().for_each(|path| assert!(!pattern.takes(path.as_bytes()), "{pattern:?} {path}"));
        }
    }

    #[test]
    fn what_could_take_nothing_is_refused() {
        for host in ["", "*", "*.", "a.*", "*.*.com", "http://a.com", "a.com/x", "a b", "é.com", "*..com"] {
            assert!(Host::try_from(host.to_owned()).is_err(), "{host}");
        }
        for path in ["", "api", "=", "=api", "/a?b", "/a b", "/é", "/a*", "http://a/b"] {
            assert!(Path::try_from(path.to_owned()).is_err(), "{path}");
        }
    }
}
