//! Where a credential is in a request.

mod cookie;
mod query;

pub(crate) use self::cookie::without as without_cookie;
pub(crate) use self::query::without as without_parameter;

use super::{Edit, Facts, Secret};

/// A place for a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A header; the credential is what stands behind the prefix, such as `Bearer `. Its case does not matter, and a value without it is not meant for us.
    Header { name: String, prefix: String },
    /// A parameter of the query, percent-encoded.
    Query(String),
    /// A cookie.
    Cookie(String),
}

/// What was there.
#[derive(Debug)]
pub(crate) enum Found {
    /// No credential.
    Missing,
    /// Several, of which no one knows which is meant: what the proxy takes might not be what the upstream takes.
    Ambiguous,
    One(Credential),
}

/// A credential, and how it is taken out of the request.
#[derive(Debug)]
pub(crate) struct Credential {
    pub(crate) value: Secret,
    /// From all places in which it was.
    pub(crate) removal: Vec<Edit>,
}

// === impl Source ===

impl Source {
    /// Looks in all of several places.
    ///
    /// An empty value is no credential. One that is twice in one place is ambiguous, also if both are the same; one in two places is not if they are.
    pub(crate) fn find(sources: &[Self], facts: &impl Facts) -> Found {
        let mut found: Option<Credential> = None;
        for source in sources {
            let values = source.values(facts);
            let value = match values.as_slice() {
                [] => continue,
                [value] if value.is_empty() => continue,
                [value] => value,
                _ => return Found::Ambiguous,
            };
            match &mut found {
                None => found = Some(Credential { value: Secret::new(value.as_slice()), removal: vec![source.removal()] }),
                Some(other) if other.value.as_bytes() != value => return Found::Ambiguous,
                Some(other) => other.removal.push(source.removal()),
            }
        }
        found.map_or(Found::Missing, Found::One)
    }

    /// Everything that is there.
    fn values(&self, facts: &impl Facts) -> Vec<Vec<u8>> {
        match self {
            Self::Header { name, prefix } => {
                let values = facts.headers(name);
                let behind: Vec<_> = values.iter().map(|value| behind(value.as_ref(), prefix)).collect();
                if behind.iter().all(Option::is_none) {
                    return Vec::new();
                }
                // One that is not meant for us counts beside one that is: the upstream may read it.
                behind.into_iter().map(|value| value.unwrap_or_default().to_vec()).collect()
            }
            Self::Query(name) => facts.header(":path").map_or_else(Vec::new, |path| query::values(path.as_ref(), name)),
            Self::Cookie(name) => facts.headers("cookie").iter().flat_map(|cookies| cookie::values(cookies.as_ref(), name)).collect(),
        }
    }

    fn removal(&self) -> Edit {
        match self {
            Self::Header { name, .. } => Edit::Remove(name.clone()),
            Self::Query(name) => Edit::RemoveParameter(name.clone()),
            Self::Cookie(name) => Edit::RemoveCookie(name.clone()),
        }
    }
}

/// What stands behind a prefix. Where there is one, more spaces may follow it.
fn behind<'a>(value: &'a [u8], prefix: &str) -> Option<&'a [u8]> {
    let (start, rest) = value.split_at_checked(prefix.len())?;
    let rest = if prefix.is_empty() { rest } else { rest.trim_ascii() };
    start.eq_ignore_ascii_case(prefix.as_bytes()).then_some(rest)
}

#[cfg(test)]
mod tests;
