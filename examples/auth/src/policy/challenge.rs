/// What `www-authenticate` says: how a client may say who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Challenge(String);

/// A realm that cannot be in a header.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("realm: it has control characters")]
pub(crate) struct RealmError;

// === impl Challenge ===

impl Challenge {
    /// Of this scheme; the realm is quoted as [RFC 9110](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.4) has it.
    pub(crate) fn try_new(scheme: &str, realm: Option<&str>) -> Result<Self, RealmError> {
        let Some(realm) = realm else { return Ok(Self(scheme.to_owned())) };
        if realm.chars().any(char::is_control) {
            return Err(RealmError);
        }
        Ok(Self(format!("{scheme} realm=\"{}\"", realm.replace('\\', "\\\\").replace('"', "\\\""))))
    }

    /// With a parameter more, whose value is a word.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let separator = if self.0.contains(' ') { "," } else { "" };
        Self(format!("{}{separator} {name}=\"{value}\"", self.0))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_realm_is_quoted() {
        for (realm, expected) in [
            (None, Ok("Basic")),
            (Some("istio"), Ok("Basic realm=\"istio\"")),
            (Some(""), Ok("Basic realm=\"\"")),
            (Some(r#"a "b", c\"#), Ok(r#"Basic realm="a \"b\", c\\""#)),
            (Some("a\r\nx: y"), Err(RealmError)),
            (Some("a\u{7f}"), Err(RealmError)),
        ] {
            let challenge = Challenge::try_new("Basic", realm);
            assert_eq!(challenge.as_ref().map(Challenge::as_str), expected.as_ref().copied(), "{realm:?}");
        }
    }

    #[test]
    fn parameters_are_separated() {
        let [with_realm, without] = [Some("a"), None].map(|realm| Challenge::try_new("Bearer", realm).unwrap().with("error", "invalid_token"));
        assert_eq!(with_realm.as_str(), r#"Bearer realm="a", error="invalid_token""#);
        assert_eq!(without.as_str(), r#"Bearer error="invalid_token""#);
    }
}
