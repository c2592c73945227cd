use inproxy::prelude::*;

use crate::policy;

/// Where a credential is: exactly one of `header`, `query` and `cookie`.
#[config(schema)]
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// A header.
    header: Option<HeaderName>,
    /// What stands before the credential in the header, such as `Bearer `; its case does not matter, and a value without it is not read.
    #[serde(default)]
    prefix: String,
    /// A parameter of the query.
    query: Option<String>,
    /// A cookie.
    cookie: Option<String>,
}

/// A source that cannot be meant. What is written there is not told: it may be a credential.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SourceError {
    #[error("name one place: a header, a query parameter or a cookie")]
    Place,
    #[error("header: {0} has no credential")]
    Pseudo(String),
    #[error("prefix: only a header has one")]
    Prefix,
    #[error("query: the name of a parameter is not empty")]
    Query,
    #[error("cookie: the name of a cookie is not empty, and has no spaces, no \"=\" and no \";\"")]
    Cookie,
}

// === impl Source ===

impl Source {
    /// All that a header has.
    pub(crate) const fn header(name: HeaderName) -> Self {
        Self { header: Some(name), prefix: String::new(), query: None, cookie: None }
    }

    /// What a header has behind a prefix.
    pub(crate) fn header_with_prefix(name: HeaderName, prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), ..Self::header(name) }
    }

    /// A parameter of the query.
    pub(crate) fn query(name: &str) -> Self {
        Self { header: None, prefix: String::new(), query: Some(name.to_owned()), cookie: None }
    }

    /// # Errors
    ///
    /// [`SourceError`].
    pub(crate) fn try_into_policy(self) -> Result<policy::Source, SourceError> {
        if self.header.is_none() && !self.prefix.is_empty() {
            return Err(SourceError::Prefix);
        }
        match (self.header, self.query, self.cookie) {
            (Some(name), None, None) if name.as_str().starts_with(':') => Err(SourceError::Pseudo(name.as_str().to_owned())),
            (Some(name), None, None) => Ok(policy::Source::Header { name: name.as_str().to_owned(), prefix: self.prefix }),
            (None, Some(name), None) if name.is_empty() => Err(SourceError::Query),
            (None, Some(name), None) => Ok(policy::Source::Query(name)),
            (None, None, Some(name)) if !is_token(&name) => Err(SourceError::Cookie),
            (None, None, Some(name)) => Ok(policy::Source::Cookie(name)),
            _ => Err(SourceError::Place),
        }
    }
}

fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_one_place() {
        let header = |name: &str, prefix: &str| policy::Source::Header { name: name.to_owned(), prefix: prefix.to_owned() };
        for (json, expected) in [
            (r#"{ "header": "X-Api-Key" }"#, Ok(header("x-api-key", ""))),
            (r#"{ "header": "authorization", "prefix": "Bearer " }"#, Ok(header("authorization", "Bearer "))),
            (r#"{ "query": "key" }"#, Ok(policy::Source::Query("key".to_owned()))),
            (r#"{ "cookie": "key" }"#, Ok(policy::Source::Cookie("key".to_owned()))),
            ("{}", Err(SourceError::Place)),
            (r#"{ "header": "a", "cookie": "b" }"#, Err(SourceError::Place)),
            (r#"{ "header": "a", "query": "b", "cookie": "c" }"#, Err(SourceError::Place)),
            (r#"{ "header": ":path" }"#, Err(SourceError::Pseudo(":path".to_owned()))),
            (r#"{ "query": "key", "prefix": "Bearer " }"#, Err(SourceError::Prefix)),
            (r#"{ "query": "" }"#, Err(SourceError::Query)),
            (r#"{ "cookie": "" }"#, Err(SourceError::Cookie)),
            (r#"{ "cookie": "a=b" }"#, Err(SourceError::Cookie)),
        ] {
            let source: Source = inproxy::config::parse(json.as_bytes()).unwrap();
            assert_eq!(source.try_into_policy(), expected, "{json}");
        }
    }
}
