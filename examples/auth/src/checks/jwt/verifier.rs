use std::time::Duration;

use super::{algorithm::Algorithm, claims::Expected, refusal::Refusal, token::Token};

/// Which tokens an operator takes.
#[derive(Clone, Debug)]
pub(crate) struct Verifier {
    pub(crate) algorithms: Vec<Algorithm>,
    /// The `typ` of tokens; any, or none, if there is none.
    pub(crate) types: Vec<String>,
    pub(crate) expected: Expected,
    /// The longest token, in bytes.
    pub(crate) max_token_bytes: usize,
}

// === impl Verifier ===

impl Verifier {
    /// Reads a token, and checks all but its signature: that costs the most, and may need keys that are not there yet.
    pub(crate) fn read<'a>(&self, token: &'a [u8], now: Duration) -> Result<Token<'a>, Refusal> {
        let token = Token::parse(token, self.max_token_bytes)?;
        if !self.algorithms.contains(&token.algorithm) {
            return Err(Refusal::AlgorithmNotAllowed);
        }
        if !self.types.is_empty() && !token.kind.as_deref().is_some_and(|kind| self.types.iter().any(|allowed| is_type(kind, allowed))) {
            return Err(Refusal::Type);
        }
        self.expected.check(token.unverified(), now)?;
        Ok(token)
    }
}

/// A media type without parameters, whose `application/` may be left out ([RFC 7515 §4.1.9](https://www.rfc-editor.org/rfc/rfc7515#section-4.1.9)).
fn is_type(kind: &str, allowed: &str) -> bool {
    let [kind, allowed] = [kind, allowed].map(|kind| match kind.split_at_checked(12) {
        Some((before, name)) if before.eq_ignore_ascii_case("application/") && !name.contains('/') => name,
        _ => kind,
    });
    kind.eq_ignore_ascii_case(allowed)
}
