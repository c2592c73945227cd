//! The document that a list of addresses comes in: Mixer's `whitelist: [10.0.0.0/8]`, whether it is a whitelist or not; or an address in each line.

#[cfg(any(test, feature = "yaml"))]
mod yaml;

use std::borrow::Cow;

use serde::Deserialize;

use super::EntryError;

/// What Mixer read. To Mixer a document without `whitelist` was a list of nothing.
#[derive(Deserialize)]
struct Document {
    whitelist: Vec<String>,
}

/// What stands in a document: in JSON, in YAML if the module has it, or an entry in each line, without the spaces around it, empty lines, and those that begin with `#`.
pub(super) fn entries(text: &str) -> Result<Vec<Cow<'_, str>>, EntryError> {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let Some(first) = lines().next() else { return Ok(Vec::new()) };
    let owned = |entries: Vec<String>| entries.into_iter().map(Cow::Owned).collect();
    if first.starts_with(['{', '[']) {
        return match serde_json::from_str::<Document>(text) {
            Ok(document) => Ok(owned(document.whitelist)),
            // `{whitelist: [10.0.0.1]}` is YAML, and no JSON.
            Err(error) => in_yaml(text).map(owned).map_err(|_| EntryError::Document(error.to_string())),
        };
    }
    if first.starts_with(['-', '%']) || first.contains(": ") || first.ends_with("whitelist:") {
        return in_yaml(text).map(owned);
    }
    Ok(lines().map(Cow::Borrowed).collect())
}

#[cfg(any(test, feature = "yaml"))]
fn in_yaml(text: &str) -> Result<Vec<String>, EntryError> {
    yaml::whitelist(text).map_err(EntryError::Document)
}

#[cfg(not(any(test, feature = "yaml")))]
fn in_yaml(_: &str) -> Result<Vec<String>, EntryError> {
    Err(EntryError::Yaml)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_json_or_yaml_or_lines() {
        for text in [
            r#"{"whitelist": ["10.0.0.1", "2001:db8::/32"]}"#,
            "\n  {\"name\": {\"a\": [1]}, \"whitelist\": [\"10.0.0.1\", \"2001:db8::/32\"]}",
            "whitelist:\n- 10.0.0.1\n- 2001:db8::/32\n",
            "# of today\n---\nname: offices\nwhitelist:\n  - 10.0.0.1\n  - \"2001:db8::/32\"\nsince: {day: [1, [2]]}\n",
            "%YAML 1.2\n---\nwhitelist: ['10.0.0.1', 2001:db8::/32]",
            "{whitelist: [10.0.0.1, '2001:db8::/32']}",
            "10.0.0.1\n2001:db8::/32",
            "# of today\r\n 10.0.0.1\r\n\r\n2001:db8::/32\r\n",
        ] {
            assert_eq!(entries(text).unwrap(), ["10.0.0.1", "2001:db8::/32"], "{text}");
        }
        for text in ["", "\n\n", "# none", r#"{"whitelist": []}"#, "whitelist: []"] {
            assert!(entries(text).unwrap().is_empty(), "{text}");
        }
        assert_eq!(entries("2001:db8::\n::").unwrap(), ["2001:db8::", "::"], "not keys of YAML");
    }

    #[test]
    fn what_is_no_such_document_is_refused() {
        for text in [
            "[\"JUNK\"]",
            "- JUNK",
            "{}",
            r#"{"blacklist": ["10.0.0.1"]}"#,
            r#"{"whitelist": "10.0.0.1"}"#,
            r#"{"whitelist": ["10.0.0.1"]"#,
            "name: offices",
            "--- JUNK",
            "whitelist:",
            "whitelist: 10.0.0.1",
            "whitelist: [[10.0.0.1]]",
            "whitelist: [{a: b}]",
            "whitelist: []\nwhitelist: [10.0.0.1]",
            "--- &a\nwhitelist: *a",
            "whitelist: [&a 10.0.0.1, *a]",
            "whitelist: [10.0.0.1",
            "--- {whitelist: []}\n--- {whitelist: [10.0.0.1]}",
        ] {
            assert!(matches!(entries(text), Err(EntryError::Document(_))), "{text}: {:?}", entries(text));
        }
    }
}
