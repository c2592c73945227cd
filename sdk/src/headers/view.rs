use std::borrow::Cow;

use super::{AsHeaderName, HeaderList, HeaderValue};
use crate::abi::{self, MapType, Pairs};

/// Reads a header or trailer map.
///
/// # Examples
///
/// ```
/// # use inproxy::prelude::*;
/// fn user_of(request: &Request) -> Option<HeaderValue> {
///     request.headers().get("x-user")
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Headers<'a>(Source<'a>);

#[derive(Clone, Copy, Debug)]
pub(crate) enum Source<'a> {
    /// A map that the proxy has now, in the effective context.
    Proxy(MapType),
    /// A map that was fetched while the proxy had it.
    Fetched(&'a [u8]),
    /// Headers of the filter's own.
    List(&'a HeaderList),
    /// No map: the stream is over, or another one's turn.
    Gone,
}

// === impl Headers ===

impl<'a> Headers<'a> {
    pub(crate) const fn new(source: Source<'a>) -> Self {
        Self(source)
    }

    /// The first value of `name`, in any case.
    ///
    /// A name that no header can have has no value.
    pub fn get(&self, name: impl AsHeaderName) -> Option<HeaderValue> {
        let name = name.to_name().ok()?;
        match self.0 {
            Source::Proxy(map) => abi::header(map, name.as_bytes()).ok().map(HeaderValue::read),
            Source::Fetched(_) | Source::List(_) => self.get_all(&*name).next(),
            Source::Gone => None,
        }
    }

    /// All values of `name`, in their order.
    pub fn get_all<N: AsHeaderName>(&self, name: N) -> impl Iterator<Item = HeaderValue> + use<'a, N> {
        let name = name.to_name().map(Cow::into_owned).unwrap_or_default();
        let mut pairs = self.pairs();
        std::iter::from_fn(move || {
            loop {
                let (other, value) = pairs.take()?;
                if other.eq_ignore_ascii_case(name.as_bytes()) {
                    return Some(HeaderValue::from_proxy(value.to_vec()));
                }
            }
        })
    }

    /// Whether there is a header of this name.
    pub fn contains(&self, name: impl AsHeaderName) -> bool {
        self.get(name).is_some()
    }

    /// All names and values in their order, pseudo headers first.
    ///
    /// A name is in the case in which the proxy has it: lower case for all that Envoy parsed.
    pub fn iter(&self) -> Iter<'a> {
        Iter(self.pairs())
    }

    fn pairs(&self) -> Pairs<Cow<'a, [u8]>> {
        Pairs::new(match self.0 {
            Source::Proxy(map) => Cow::Owned(abi::header_pairs(map).unwrap_or_default()),
            Source::Fetched(buffer) => Cow::Borrowed(buffer),
            Source::List(list) => Cow::Owned(abi::encode_pairs(list.iter())),
            Source::Gone => Cow::Borrowed(&[]),
        })
    }
}

/// The entries of a map, fetched at once and decoded as they are asked for.
#[derive(Clone, Debug)]
pub struct Iter<'a>(Pairs<Cow<'a, [u8]>>);

// === impl Iter ===

impl Iterator for Iter<'_> {
    type Item = (Vec<u8>, HeaderValue);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, value) = self.0.take()?;
        Some((name.to_vec(), HeaderValue::from_proxy(value.to_vec())))
    }
}

impl<'a> IntoIterator for Headers<'a> {
    type Item = (Vec<u8>, HeaderValue);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}
