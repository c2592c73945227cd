use crate::policy::{Code, Denial, Edit, Edits, Undecided};

/// What becomes of a request that the service could not decide upon.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failure {
    /// The status that the client gets, unless the request passes.
    pub(crate) status_on_error: u16,
    /// Whoever gets a request that passes all the same is told.
    pub(crate) tells_the_upstream: bool,
}

/// Tells the upstream that nobody has decided.
const ALLOWED: &str = "x-envoy-auth-failure-mode-allowed";

// === impl Failure ===

impl Failure {
    /// Nobody knows; `reason` is for the log.
    pub(crate) fn undecided(&self, reason: impl Into<String>) -> Undecided {
        let mut denial = Denial::new(Code::of_http(self.status_on_error), "");
        denial.direct.status = Some(self.status_on_error);
        denial.direct.body = Some(Vec::new());
        Undecided { reason: reason.into(), denial: Box::new(denial) }
    }

    /// What is changed in a request that passes all the same.
    pub(crate) fn edits(&self) -> Edits {
        let told = self.tells_the_upstream.then(|| Edit::Set(ALLOWED.to_owned(), b"true".to_vec()));
        Edits { request: told.into_iter().collect(), ..Edits::default() }
    }
}

#[cfg(test)]
impl Default for Failure {
    fn default() -> Self {
        Self { status_on_error: 403, tells_the_upstream: false }
    }
}
