use inproxy::{
    attributes::Attributes,
    headers::{HeaderValue, Headers},
    http::{BodyError, Peeked},
};

use crate::policy::Facts;

/// The request, as checks see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) headers: Headers<'a>,
    pub(crate) attributes: Attributes<'a>,
    pub(crate) body: Body<'a>,
}

/// As much of the body as the plan's checks need, if they need some; or why it could not be read.
pub(crate) type Body<'a> = Option<&'a Result<Peeked, BodyError>>;

impl Facts for Asked<'_> {
    type Value = HeaderValue;

    fn header(&self, name: &str) -> Option<HeaderValue> {
        self.headers.get(name)
    }

    fn headers(&self, name: &str) -> Vec<HeaderValue> {
        self.headers.get_all(name).collect()
    }
}
