/// What checks read of a request. The filter gets it from the proxy, a test from a list.
pub(crate) trait Facts {
    /// The bytes of a header.
    type Value: AsRef<[u8]>;

    /// The first value of a header, or of `:method`, `:path` or `:authority`.
    fn header(&self, name: &str) -> Option<Self::Value>;

    /// All values of a header.
    fn headers(&self, name: &str) -> Vec<Self::Value>;
}

/// The facts of a test.
#[cfg(test)]
impl<const N: usize> Facts for [(&'static str, &'static str); N] {
    type Value = &'static str;

    fn header(&self, name: &str) -> Option<&'static str> {
        self.headers(name).first().copied()
    }

    fn headers(&self, name: &str) -> Vec<&'static str> {
        self.iter().filter(|(known, _)| *known == name).map(|(_, value)| *value).collect()
    }
}
