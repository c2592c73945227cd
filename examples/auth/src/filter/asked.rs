use inproxy::{
    attributes::Attributes,
    headers::{HeaderValue, Headers},
};

use crate::policy::Facts;

/// The request, as checks see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) headers: Headers<'a>,
    pub(crate) attributes: Attributes<'a>,
    /// Empty, unless a check needs it.
    pub(crate) body: &'a [u8],
}

impl Facts for Asked<'_> {
    type Value = HeaderValue;

    fn header(&self, name: &str) -> Option<HeaderValue> {
        self.headers.get(name)
    }

    fn headers(&self, name: &str) -> Vec<HeaderValue> {
        self.headers.get_all(name).collect()
    }
}
