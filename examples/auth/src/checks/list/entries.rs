use std::collections::BTreeSet;

use regex_lite::{Regex, RegexBuilder};

use super::{
    Value, document,
    networks::{self, Networks},
    value::NotValid,
};
use crate::config::list::EntryType;

/// What is on a list.
#[derive(Debug)]
pub(crate) struct Entries {
    kind: Kind,
    count: usize,
}

#[derive(Debug)]
enum Kind {
    Texts(BTreeSet<String>),
    /// In capitals.
    AnyCase(BTreeSet<String>),
    Networks(Networks),
    Patterns(Vec<Regex>),
}

/// What stands on a list, and cannot.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EntryError {
    #[error("{} is neither an IP address nor a network such as 10.0.0.0/8", shown(.0))]
    Network(String),
    #[error("{} is not a regular expression: {fault}", shown(.pattern))]
    Pattern { pattern: String, fault: String },
    #[error("the list is not UTF-8")]
    NotText,
    #[error("the list is not {{\"whitelist\": [addresses]}}: {0}")]
    Document(String),
    #[cfg(not(any(test, feature = "yaml")))]
    #[error("the list is YAML, which this module was built without: serve JSON or one address in each line, or build it with the feature `yaml`")]
    Yaml,
}

/// How large one pattern may become: a list is from outside, and `(a{1000}){1000}` is short.
const PATTERN_BYTES: usize = 128 * 1024;

// === impl Entries ===

impl Entries {
    /// Those of a body that was fetched, and behind them those of the configuration.
    ///
    /// # Errors
    ///
    /// The first entry that is none. Of a body, all or nothing.
    pub(crate) fn parse(entry_type: EntryType, body: &[u8], overrides: &[String]) -> Result<Self, EntryError> {
        let body = std::str::from_utf8(body).map_err(|_| EntryError::NotText)?;
        let overrides = overrides.iter().map(String::as_str);
        // Mixer trims nothing: neither a space nor a carriage return.
        let lines = || body.split('\n').filter(|line| !line.is_empty()).chain(overrides.clone());
        let kind = match entry_type {
            EntryType::Strings => Kind::Texts(lines().map(str::to_owned).collect()),
            EntryType::CaseInsensitiveStrings => Kind::AnyCase(lines().map(capitals).collect()),
            EntryType::Regex => Kind::Patterns(lines().map(pattern).collect::<Result<_, _>>()?),
            EntryType::IpAddresses => {
                let fetched = document::entries(body)?;
                let all = fetched.iter().map(AsRef::as_ref).chain(overrides);
                let networks: Vec<_> =
                    all.map(|text| networks::parse(text).ok_or_else(|| EntryError::Network(text.to_owned()))).collect::<Result<_, _>>()?;
                return Ok(Self { count: networks.len(), kind: Kind::Networks(Networks::new(&networks)) });
            }
        };
        let count = match &kind {
            Kind::Texts(texts) | Kind::AnyCase(texts) => texts.len(),
            Kind::Patterns(patterns) => patterns.len(),
            Kind::Networks(_) => 0,
        };
        Ok(Self { kind, count })
    }

    /// How many there are, each network counted that was written.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Whether a value is among them.
    pub(super) fn contains(&self, value: &Value) -> Result<bool, NotValid> {
        match &self.kind {
            Kind::Texts(texts) => value.with_text(|text| texts.contains(text)),
            Kind::AnyCase(texts) => value.with_text(|text| texts.contains(&capitals(text))),
            Kind::Patterns(patterns) => value.with_text(|text| patterns.iter().any(|pattern| pattern.is_match(text))),
            Kind::Networks(networks) => value.as_address().map(|address| networks.contain(address)),
        }
    }
}

/// In capitals as Go has them: letter by letter, so that `ß` stays itself.
fn capitals(text: &str) -> String {
    let capital = |letter: char| {
        let mut capitals = letter.to_uppercase();
        match (capitals.next(), capitals.next()) {
            (Some(capital), None) => capital,
            _ => letter,
        }
    };
    text.chars().map(capital).collect()
}

fn pattern(text: &str) -> Result<Regex, EntryError> {
    RegexBuilder::new(text)
        .size_limit(PATTERN_BYTES)
        .build()
        .map_err(|error| EntryError::Pattern { pattern: text.to_owned(), fault: error.to_string() })
}

/// An entry as a log has it: not a megabyte of it.
fn shown(entry: &str) -> String {
    match entry.char_indices().nth(60) {
        Some((end, _)) => format!("{:?}…", entry.get(..end).unwrap_or_default()),
        None => format!("{entry:?}"),
    }
}
