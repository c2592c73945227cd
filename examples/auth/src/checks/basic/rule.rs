use super::Credentials;
use crate::policy::Facts;

/// Which requests need whose password.
#[derive(Debug)]
pub(crate) struct Rule {
    hosts: Vec<Host>,
    path: Path,
    methods: Vec<String>,
    credentials: Credentials,
}

/// A path, without its query. Text against text: `/api` is also a prefix of `/apis`.
#[derive(Debug)]
pub(crate) enum Path {
    Prefix(String),
    Exact(String),
    Suffix(String),
}

/// A host in lower case, with or without something before or behind it.
#[derive(Debug)]
enum Host {
    Exact(String),
    /// `*.example.com`
    Suffix(String),
    /// `example.*`
    Prefix(String),
}

/// A rule that cannot be meant.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RuleError {
    #[error("one of prefix, exact and suffix is needed")]
    Path,
    #[error("methods: at least one is needed, such as GET, or * for all")]
    Methods,
    #[error("hosts[{0}]: write a host without a port, as in example.com, *.example.com or example.*")]
    Host(usize),
    #[error("credentials: at least one is needed")]
    Credentials,
}

// === impl Rule ===

impl Rule {
    pub(crate) fn try_new(hosts: &[String], path: Path, methods: Vec<String>, credentials: Credentials) -> Result<Self, RuleError> {
        if methods.is_empty() || methods.iter().any(String::is_empty) {
            return Err(RuleError::Methods);
        }
        if credentials.is_empty() {
            return Err(RuleError::Credentials);
        }
        let hosts = hosts.iter().enumerate().map(|(place, host)| Host::new(host).ok_or(RuleError::Host(place))).collect::<Result<_, _>>()?;
        Ok(Self { hosts, path, methods, credentials })
    }

    pub(crate) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    pub(crate) fn covers(&self, facts: &impl Facts) -> bool {
        let method = facts.header(":method");
        let method = method.as_ref().map_or(&b""[..], AsRef::as_ref);
        let path = facts.header(":path");
        let path = path.as_ref().map_or(&b""[..], AsRef::as_ref);
        self.methods.iter().any(|known| known == "*" || known.as_bytes() == method) && self.path.takes(path) && self.covers_host(facts)
    }

    fn covers_host(&self, facts: &impl Facts) -> bool {
        if self.hosts.is_empty() {
            return true;
        }
        let authority = facts.header(":authority");
        let host = without_port(authority.as_ref().map_or(&b""[..], AsRef::as_ref)).to_ascii_lowercase();
        self.hosts.iter().any(|known| known.takes(&host))
    }
}

// === impl Path ===

impl Path {
    /// # Errors
    ///
    /// [`RuleError::Path`] if it is none, or several.
    pub(crate) fn try_new(prefix: Option<String>, exact: Option<String>, suffix: Option<String>) -> Result<Self, RuleError> {
        match (prefix, exact, suffix) {
            (Some(prefix), None, None) => Ok(Self::Prefix(prefix)),
            (None, Some(exact), None) => Ok(Self::Exact(exact)),
            (None, None, Some(suffix)) => Ok(Self::Suffix(suffix)),
            _ => Err(RuleError::Path),
        }
    }

    fn takes(&self, path: &[u8]) -> bool {
        let path = path.split(|byte| matches!(byte, b'?' | b'#')).next().unwrap_or_default();
        match self {
            Self::Prefix(prefix) => path.starts_with(prefix.as_bytes()),
            Self::Exact(exact) => path == exact.as_bytes(),
            Self::Suffix(suffix) => path.ends_with(suffix.as_bytes()),
        }
    }
}

// === impl Host ===

impl Host {
    fn new(host: &str) -> Option<Self> {
        let host = host.to_ascii_lowercase();
        let (kind, rest): (fn(String) -> Self, _) = match (host.strip_prefix('*'), host.strip_suffix('*')) {
            (Some(rest), _) => (Self::Suffix, rest),
            (None, Some(rest)) => (Self::Prefix, rest),
            (None, None) => (Self::Exact, host.as_str()),
        };
        // Behind `example.` more is to come.
        let end = if host.ends_with('*') { rest.trim_end_matches('.') } else { rest };
        let whole = !host.is_empty() && !rest.contains('*') && without_port(end.as_bytes()) == end.as_bytes();
        whole.then(|| kind(rest.to_owned()))
    }

    fn takes(&self, host: &[u8]) -> bool {
        match self {
            Self::Exact(exact) => host == exact.as_bytes(),
            Self::Suffix(suffix) => host.ends_with(suffix.as_bytes()),
            Self::Prefix(prefix) => host.starts_with(prefix.as_bytes()),
        }
    }
}

/// The host of an authority; a last dot, which makes no other host of it, is left out.
fn without_port(authority: &[u8]) -> &[u8] {
    let colon = authority.iter().rposition(|byte| *byte == b':');
    let host = match colon.and_then(|at| authority.split_at_checked(at)) {
        Some((host, port)) if port.iter().skip(1).all(u8::is_ascii_digit) && (!host.contains(&b':') || host.ends_with(b"]")) => host,
        _ => authority,
    };
    host.strip_suffix(b".").unwrap_or(host)
}
