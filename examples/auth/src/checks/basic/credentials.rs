use subtle::ConditionallySelectable;

use super::decoded;
use crate::policy::{Digest, Secret};

/// A user name and the SHA-256 of the password.
#[derive(Debug)]
pub(crate) struct Credential {
    user: String,
    digest: Digest,
    password: Digest,
}

/// Who may pass a rule.
#[derive(Debug)]
pub(crate) struct Credentials(Vec<Credential>);

/// A credential that cannot be meant. Nothing of it is told.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CredentialError {
    #[error("it is neither user:password nor base64 of it")]
    Form,
    #[error("the user name is empty, or has a colon or control characters")]
    User,
    #[error("the password is empty")]
    NoPassword,
    #[error("sha256: the SHA-256 of a password has 64 hexadecimal digits")]
    Hash,
}

// === impl Credential ===

impl Credential {
    /// From `user:password`, or from base64 of it, which has no colon. The password may have more colons.
    pub(crate) fn try_from_text(text: &Secret) -> Result<Self, CredentialError> {
        let text = text.as_bytes();
        let decoded = if text.contains(&b':') { text.to_vec() } else { decoded(text).ok_or(CredentialError::Form)? };
        let (user, password) = split(&decoded).ok_or(CredentialError::Form)?;
        let user = std::str::from_utf8(user).map_err(|_| CredentialError::User)?;
        Self::try_new(user, Digest::of(password))
    }

    /// From a user name and the SHA-256 of the password in hexadecimal digits.
    pub(crate) fn try_from_hash(user: &str, hash: &Secret) -> Result<Self, CredentialError> {
        Self::try_new(user, Digest::from_hex(hash.as_bytes()).ok_or(CredentialError::Hash)?)
    }

    fn try_new(user: &str, password: Digest) -> Result<Self, CredentialError> {
        if user.is_empty() || user.contains(|c: char| c == ':' || c.is_control()) {
            return Err(CredentialError::User);
        }
        // What is left of `admin:${PASSWORD}` when the variable is not set.
        if bool::from(password.is(&Digest::of(b""))) {
            return Err(CredentialError::NoPassword);
        }
        Ok(Self { user: user.to_owned(), digest: Digest::of(user.as_bytes()), password })
    }
}

// === impl Credentials ===

impl Credentials {
    pub(crate) const fn new(all: Vec<Credential>) -> Self {
        Self(all)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whose `user:password` it is. Compares with all of them: how long it takes does not tell how much of one was right.
    pub(crate) fn user(&self, decoded: &[u8]) -> Option<&str> {
        let (user, password) = split(decoded)?;
        let (user, password) = (Digest::of(user), Digest::of(password));
        let mut found = u32::MAX;
        for (known, place) in self.0.iter().zip(0_u32..) {
            found.conditional_assign(&place, known.digest.is(&user) & known.password.is(&password));
        }
        self.0.get(found as usize).map(|credential| credential.user.as_str())
    }
}

fn split(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (user, password) = text.split_at_checked(text.iter().position(|byte| *byte == b':')?)?;
    Some((user, password.get(1..)?))
}
