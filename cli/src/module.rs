use std::{fs, path::Path};

use wasmparser::{Parser, Payload};

use crate::Error;

/// What a module contains.
#[derive(Clone, Debug)]
pub struct Inspected {
    /// Its size in bytes.
    pub size: usize,
    /// Its filters.
    pub filters: Vec<FilterInModule>,
}

/// One filter of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterInModule {
    /// The name by which the proxy's configuration chooses it.
    pub root_id: String,
    /// The path of its type.
    pub name: String,
    /// What it is: `http`, `network`, `access_logger` or `service`.
    pub kind: String,
}

// === impl Inspected ===

impl Inspected {
    /// What the one is that a proxy would choose by this root id: with another it takes the only one.
    pub(crate) fn kind_of(&self, root_id: &str) -> &str {
        let named = self.filters.iter().find(|filter| filter.root_id == root_id);
        named.or(self.filters.first()).map_or("", |filter| &filter.kind)
    }

    /// Its plugins and their kinds, in one line.
    pub(crate) fn plugins(&self) -> String {
        let each: Vec<_> = self.filters.iter().map(|filter| format!("{:?} ({})", filter.root_id, filter.kind)).collect();
        each.join(", ")
    }
}

/// Reads a module and checks that a proxy can choose among its filters.
///
/// # Errors
///
/// [`Error::Module`] if it is not a filter's module, or if two of its filters have the same root id.
pub fn inspect(path: &Path) -> Result<Inspected, Error> {
    let bytes = fs::read(path).map_err(|error| Error::File { path: path.to_path_buf(), error })?;
    let module = |reason| Error::Module { path: path.to_path_buf(), reason };
    let filters = filters(&bytes).map_err(|error| module(error.to_string()))?;
    if filters.is_empty() {
        return Err(module("it has no filter; is there a struct with #[filter]?".to_owned()));
    }
    for (at, one) in filters.iter().enumerate() {
        if let Some(other) = filters.iter().skip(at + 1).find(|other| other.root_id == one.root_id) {
            return Err(module(format!(
                "two filters have the root id {:?}: {} and {}; give one another with #[filter(root_id = \"…\")]",
                one.root_id, one.name, other.name
            )));
        }
    }
    Ok(Inspected { size: bytes.len(), filters })
}

/// The filters whose stamps are in the module's data.
fn filters(module: &[u8]) -> wasmparser::Result<Vec<FilterInModule>> {
    let mut filters = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::DataSection(section) = payload? {
            for data in section {
                filters.extend(stamps(data?.data));
            }
        }
    }
    filters.sort_by(|one, other| (&one.root_id, &one.name).cmp(&(&other.root_id, &other.name)));
    filters.dedup();
    Ok(filters)
}

/// The records that `#[filter]` and its like leave: a word, a root id, a path and a kind, separated by U+001F, between two U+001E.
fn stamps(data: &[u8]) -> impl Iterator<Item = FilterInModule> {
    data.split(|byte| *byte == 0x1e).filter_map(|record| {
        let mut parts = std::str::from_utf8(record).ok()?.split('\u{1f}');
        match (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()) {
            ("inproxy-filter", root_id, name, kind, None) => {
                Some(FilterInModule { root_id: root_id.to_owned(), name: name.to_owned(), kind: kind.to_owned() })
            }
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_found_by_their_stamps_among_other_data() {
        let data = b"\0\x1f\x1e\x1einproxy-filter\x1fauth\x1fauth::Auth\x1fhttp\x1ejunk\x1e\xff\x1einproxy-filter\x1fx\x1fa::X\x1fservice\x1e\x1einproxy-filter\x1f";
        let found: Vec<_> = stamps(data).map(|filter| (filter.root_id, filter.name, filter.kind)).collect();
        assert_eq!(
            found,
            [("auth", "auth::Auth", "http"), ("x", "a::X", "service")].map(|(id, name, kind)| (id.to_owned(), name.to_owned(), kind.to_owned()))
        );
    }
}
