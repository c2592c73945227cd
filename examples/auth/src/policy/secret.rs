use std::fmt;

/// A key, a password or a token, or what gives one away. It is not shown, and not compared in passing.
#[derive(Clone)]
pub(crate) struct Secret(Vec<u8>);

// === impl Secret ===

impl Secret {
    pub(crate) fn new(secret: impl Into<Vec<u8>>) -> Self {
        Self(secret.into())
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}
