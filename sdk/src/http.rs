//! What an HTTP filter is written against: one async function over [`Request`], [`Next`] and [`Response`].

mod adapter;
mod body;
mod filter;
mod next;
mod outcome;
mod request;
mod response;
mod starting;

pub(crate) use self::body::can_hold;
pub use self::body::{BodyError, Chunks, Collected, MapChunk, Mapped, Peeked, ReadOnly, Released, Rewrite, Side};
pub use self::filter::{HttpFilter, OnError};
pub use self::next::{Next, Outgoing, Run};
pub use self::request::{HeldRequest, ReleasedRequest, Request, RequestSide};
pub use self::response::{HeldResponse, ReleasedResponse, Response, ResponseSide};
pub use self::starting::ConfigureAsync;
