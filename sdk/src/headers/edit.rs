use std::borrow::Cow;

use super::{AsHeaderName, AsHeaderValue, Check, Edited, EditedName, HeaderError, HeaderList, Headers, Source};
use crate::{
    abi::{self, MapType, Status},
    error::{HostError, Result},
};

/// Reads and changes a header or trailer map.
///
/// An edit with a [`HeaderName`](super::HeaderName) and a [`HeaderValue`](super::HeaderValue) returns nothing, since both were validated; an edit with
/// raw text or bytes returns a [`Result`]. Should the proxy refuse an edit that returns nothing, the stream does not go on half edited: it
/// ends as if the filter had returned the error.
///
/// `content-length` and `transfer-encoding` can be removed, but not set: a length that is not the body's would let one request pass for two. They are put right when a body is
/// replaced. (Callbacks, [`HttpHooks`](crate::hooks::HttpHooks), may set them.) The `:status` of a response can be set to 200 to 599, but for 204 and 304, behind which a body would be taken for another
/// response, and not removed; trailers have no pseudo headers.
///
/// # Examples
///
/// ```
/// # use inproxy::prelude::*;
/// const USER: HeaderName = HeaderName::from_static("x-user");
///
/// fn set_user(request: &mut Request, user: &HeaderValue, tenant: &[u8]) -> Result<()> {
///     request.headers_mut().insert(&USER, user);
///     request.headers_mut().insert("x-tenant", tenant)?;
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct HeadersMut<'a>(Target<'a>);

#[derive(Debug)]
enum Target<'a> {
    /// Whether the lengths of bodies are the caller's business.
    Proxy(MapType, Framing),
    List(&'a mut HeaderList),
    Gone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Kept,
    Free,
}

// === impl HeadersMut ===

impl<'a> HeadersMut<'a> {
    /// A map whose `content-length` and `transfer-encoding` are the proxy's: they can be removed, not set.
    pub(crate) const fn in_proxy(map: MapType) -> Self {
        Self(Target::Proxy(map, Framing::Kept))
    }

    /// A map in which everything can be set.
    pub(crate) const fn with_framing(map: MapType) -> Self {
        Self(Target::Proxy(map, Framing::Free))
    }

    pub(crate) const fn in_list(list: &'a mut HeaderList) -> Self {
        Self(Target::List(list))
    }

    pub(crate) const fn gone() -> Self {
        Self(Target::Gone)
    }

    /// The map as it is now, for reading.
    pub fn as_headers(&self) -> Headers<'_> {
        Headers::new(match &self.0 {
            Target::Proxy(map, _) => Source::Proxy(*map),
            Target::List(list) => Source::List(list),
            Target::Gone => Source::Gone,
        })
    }

    /// The first value of `name`; see [`Headers::get`].
    pub fn get(&self, name: impl AsHeaderName) -> Option<super::HeaderValue> {
        self.as_headers().get(name)
    }

    /// Puts one value in the place of all that `name` has.
    ///
    /// # Errors
    ///
    /// Only if name or value is raw: [`HeaderError`](super::HeaderError) if it is invalid, [`HostError`] if the proxy refuses.
    pub fn insert<N: AsHeaderName, V: AsHeaderValue>(&mut self, name: N, value: V) -> Edited<N, V> {
        let outcome = self.checked(&name, &value).and_then(|(name, value)| match &mut self.0 {
            Target::Proxy(map, _) => refused("replace a header", abi::replace_header(*map, name.as_bytes(), value)),
            Target::List(list) => Ok(list.insert(&*name, value)?),
            Target::Gone => gone(),
        });
        settle::<<N::Check as Check>::And<V::Check>>(outcome)
    }

    /// Adds a value behind those that `name` has.
    ///
    /// # Errors
    ///
    /// As [`insert`](Self::insert).
    pub fn append<N: AsHeaderName, V: AsHeaderValue>(&mut self, name: N, value: V) -> Edited<N, V> {
        let outcome = self.checked(&name, &value).and_then(|(name, value)| match &mut self.0 {
            Target::Proxy(map, _) => refused("add a header", abi::add_header(*map, name.as_bytes(), value)),
            Target::List(list) => Ok(list.append(&*name, value)?),
            Target::Gone => gone(),
        });
        settle::<<N::Check as Check>::And<V::Check>>(outcome)
    }

    /// Removes all values of `name`; it need not be there.
    ///
    /// # Errors
    ///
    /// As [`insert`](Self::insert).
    pub fn remove<N: AsHeaderName>(&mut self, name: N) -> EditedName<N> {
        let outcome = name.to_name().map_err(Into::into).and_then(|name| match &mut self.0 {
            Target::Proxy(map, _) if is_pseudo(&name) && is_status(*map, &name) => Err(HeaderError::Status.into()),
            Target::Proxy(map, _) => refused("remove a header", abi::remove_header(*map, name.as_bytes())),
            Target::List(list) => Ok(list.remove(&*name)?),
            Target::Gone => gone(),
        });
        settle::<N::Check>(outcome)
    }

    #[inline(always)]
    fn checked<'n, 'v>(&self, name: &'n impl AsHeaderName, value: &'v impl AsHeaderValue) -> Result<(Cow<'n, str>, &'v [u8])> {
        let name = name.to_name()?;
        if matches!(self.0, Target::Proxy(_, Framing::Kept) | Target::List(_)) {
            super::not_framing(&name)?;
        }
        let value = value.to_value()?;
        if is_pseudo(&name)
            && let Target::Proxy(map, _) = self.0
        {
            pseudo(map, &name, value)?;
        }
        Ok((name, value))
    }
}

/// Refuses pseudo headers that are none, which the proxy would put on the wire as they are: a status that ends no response, or that has no body where a body follows; and any in trailers.
#[cold]
fn pseudo(map: MapType, name: &str, value: &[u8]) -> Result<(), HeaderError> {
    if matches!(map, MapType::HttpRequestTrailers | MapType::HttpResponseTrailers) {
        return Err(HeaderError::Trailer(name.to_owned()));
    }
    let allowed = matches!(value, [b'2'..=b'5', b'0'..=b'9', b'0'..=b'9']) && !matches!(value, b"204" | b"304");
    if is_status(map, name) && !allowed { Err(HeaderError::Status) } else { Ok(()) }
}

fn is_pseudo(name: &str) -> bool {
    name.as_bytes().first() == Some(&b':')
}

fn is_status(map: MapType, name: &str) -> bool {
    matches!(map, MapType::HttpResponseHeaders) && name == ":status"
}

fn refused(call: &'static str, outcome: Result<(), Status>) -> Result<()> {
    outcome.map_err(|status| HostError::new(call, status).into())
}

/// The stream is over, or another one's turn: there is nothing left to edit.
fn gone() -> Result<()> {
    Err(HostError::new("edit headers that are no longer there", Status::BAD_ARGUMENT).into())
}

fn settle<C: Check>(outcome: Result<()>) -> C::Output<()> {
    C::settle((), outcome)
}
