use super::Code;

/// What a check says of a request; or why it can say nothing.
pub(crate) type Outcome = Result<Verdict, Undecided>;

/// What a check says of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It may pass, with these changes.
    Allow(Edits),
    /// It may not.
    Deny(Denial),
}

/// What becomes of a request that may pass, and of its response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Edits {
    /// In the request's headers, in this order.
    pub(crate) request: Vec<Edit>,
    /// In the response's headers.
    pub(crate) response: Vec<Edit>,
    /// What other filters find in the filter state.
    pub(crate) filter_state: Vec<(String, Vec<u8>)>,
}

/// A change of headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Edit {
    /// This value in the place of all others.
    Set(String, Vec<u8>),
    /// This value behind all others.
    Append(String, Vec<u8>),
    /// This value, if there is none.
    AddIfAbsent(String, Vec<u8>),
    /// This value in the place of all others, if there are some.
    SetIfPresent(String, Vec<u8>),
    /// No value.
    Remove(String),
    /// No parameter of this name in the query.
    RemoveParameter(String),
    /// This value of a parameter in the query, in the place of all others.
    SetParameter(String, String),
    /// No cookie of this name.
    RemoveCookie(String),
}

/// Why a request may not pass, and what its client is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Denial {
    pub(crate) code: Code,
    /// For the client; nothing of it is logged, since it may say what the client has sent.
    pub(crate) message: String,
    /// What access logs show as the response code details, in the place of the filter's; no secret is in it.
    pub(crate) details: Option<String>,
    /// What the client of HTTP gets in the place of status and message.
    pub(crate) direct: Direct,
}

/// An answer that is written by hand, where it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Direct {
    pub(crate) status: Option<u16>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Option<Vec<u8>>,
}

/// A check could not be made: the service behind it is down, or the list that it needs is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Undecided {
    /// For the log.
    pub(crate) reason: String,
    /// What the client is told, unless the check fails open.
    pub(crate) denial: Box<Denial>,
}

// === impl Verdict ===

impl Verdict {
    pub(crate) fn allow() -> Self {
        Self::Allow(Edits::default())
    }

    pub(crate) fn deny(code: Code, message: impl Into<String>) -> Self {
        Self::Deny(Denial::new(code, message))
    }
}

// === impl Edits ===

impl Edits {
    /// What another check has to change, behind what there is.
    pub(crate) fn extend(&mut self, other: Self) {
        self.request.extend(other.request);
        self.response.extend(other.response);
        self.filter_state.extend(other.filter_state);
    }
}

// === impl Denial ===

impl Denial {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: None, direct: Direct::default() }
    }

    /// With a header in the answer.
    pub(crate) fn with_header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.direct.headers.push((name.to_owned(), value.into()));
        self
    }

    /// After another denial of what one of several checks could have allowed: both say how a client may say who it is.
    pub(crate) fn behind(mut self, other: Option<&Self>) -> Self {
        let challenges = other.iter().flat_map(|other| &other.direct.headers).filter(|(name, _)| name == "www-authenticate");
        if self.code == Code::UNAUTHENTICATED {
            self.direct.headers.splice(0..0, challenges.cloned());
        }
        self
    }

    pub(crate) fn http(&self) -> u16 {
        self.direct.status.unwrap_or_else(|| if self.direct.body.is_some() { self.code.http_of_a_direct_response() } else { self.code.http() })
    }

    /// Mixer's text: `PERMISSION_DENIED:the message`.
    pub(crate) fn text(&self) -> String {
        if self.message.is_empty() { self.code.to_string() } else { format!("{}:{}", self.code, self.message) }
    }
}

// === impl Undecided ===

impl Undecided {
    /// As Mixer's client had it when Mixer could not say: 500.
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), denial: Box::new(Denial::new(Code::INTERNAL, "")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_kept_where_a_client_may_answer_them() {
        let challenge = |code, challenge: &str| Denial::new(code, "m").with_header("www-authenticate", challenge).with_header("x", challenge);
        let first = challenge(Code::UNAUTHENTICATED, "a");
        let values = |denial: &Denial| denial.direct.headers.iter().map(|(_, value)| String::from_utf8(value.clone()).unwrap()).collect::<Vec<_>>();
        assert_eq!(values(&challenge(Code::UNAUTHENTICATED, "b").behind(Some(&first))), ["a", "b", "b"]);
        assert_eq!(values(&challenge(Code::UNAUTHENTICATED, "b").behind(None)), ["b", "b"]);
        assert_eq!(values(&Denial::new(Code::PERMISSION_DENIED, "m").behind(Some(&first))), Vec::<String>::new());
    }
}
