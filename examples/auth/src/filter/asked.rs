use inproxy::{
    attributes::Attributes,
    headers::{HeaderValue, Headers},
    http::Peeked,
};

use crate::policy::Facts;

/// The request, as checks see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) headers: Headers<'a>,
    pub(crate) attributes: Attributes<'a>,
    /// As much of it as the plan's checks need.
    pub(crate) body: Option<&'a Peeked>,
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
