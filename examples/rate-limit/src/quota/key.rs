use std::fmt;

use super::{Dimensions, dimension::escaped};

/// The key under which a quota is counted for these dimensions: `requestcount;destination=ratings;source=reviews`.
pub(crate) fn key(quota: &str, dimensions: &Dimensions) -> String {
    dimensions.iter().fold(quota.to_owned(), |key, (name, value)| format!("{key};{}={value}", Escaped(name)))
}

struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        escaped(self.0, f)
    }
}
