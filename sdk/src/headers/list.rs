use super::{AsHeaderName, AsHeaderValue, HeaderError, HeaderName, HeaderValue};

/// Headers that the filter itself holds, for a reply or a call-out: validated, in the order in which they were added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HeaderList(Vec<(HeaderName, HeaderValue)>);

// === impl HeaderList ===

impl HeaderList {
    pub(crate) fn insert(&mut self, name: impl AsHeaderName, value: impl AsHeaderValue) -> Result<(), HeaderError> {
        let (name, value) = (name.to_owned_name()?, value.to_owned_value()?);
        self.0.retain(|(other, _)| *other != name);
        self.0.push((name, value));
        Ok(())
    }

    pub(crate) fn append(&mut self, name: impl AsHeaderName, value: impl AsHeaderValue) -> Result<(), HeaderError> {
        self.0.push((name.to_owned_name()?, value.to_owned_value()?));
        Ok(())
    }

    pub(crate) fn remove(&mut self, name: impl AsHeaderName) -> Result<(), HeaderError> {
        let name = name.to_name()?;
        self.0.retain(|(other, _)| other.as_str() != name);
        Ok(())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
        self.0.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()))
    }
}
