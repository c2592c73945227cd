//! What nearly every filter uses: `use inproxy::prelude::*;`.

pub use crate::{
    AccessLogger, Configure, Connection, Error, HttpFilter, NetworkFilter, Next, OnError, Plugin, Request, Response, Result, Service, StatusCode,
    access_logger,
    call::Cluster,
    config, filter,
    headers::{HeaderName, HeaderValue},
    log,
    reply::LocalReply,
    service,
};
