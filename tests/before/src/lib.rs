//! The filters are the examples of this crate: each is a module of its own.
