//! `cargo inproxy`, as a library: what the command does, for the tests and tools of this workspace.

#![allow(clippy::disallowed_methods, clippy::disallowed_macros, reason = "this runs on the host, not in the proxy")]

mod build;
mod error;
mod module;
mod project;
mod run;
mod stats;
mod target;
pub mod trim;
mod watch;

pub use self::build::{Built, build, build_with, compile, compile_example, compile_example_plainly};
pub use self::error::Error;
pub use self::module::{FilterInModule, Inspected, inspect};
pub use self::project::{Answer, Filter, Project, Run, Sample, Service};
pub use self::run::{RunOptions, run};
pub use self::stats::stats;
pub use self::target::{TARGET, ensure_target};
