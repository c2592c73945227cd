//! The checks, each in a file of its own. None of them knows the proxy.

pub(crate) mod api_key;
pub(crate) mod basic;
pub(crate) mod denier;
pub(crate) mod ext_authz;
pub(crate) mod jwt;
pub(crate) mod list;
