//! The filters of the cookbook: what `docs/cookbook` shows.

pub mod background_tasks;
pub mod bodies;
pub mod cache_and_coalesce;
pub mod calls;
pub mod clocks;
pub mod deadlines;
pub mod environment;
pub mod errors;
pub mod grpc;
pub mod headers;
pub mod json_body;
pub mod logging;
pub mod memory;
pub mod rate_limit;
pub mod replies;
pub mod startup;
pub mod state;
