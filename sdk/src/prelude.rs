//! What nearly every filter uses: `use inproxy::prelude::*;`.

pub use crate::{
    Configure, Error, HttpFilter, Next, OnError, Plugin, Request, Response, Result, StatusCode,
    call::Cluster,
    config, filter,
    headers::{HeaderName, HeaderValue},
    log,
    reply::LocalReply,
};
