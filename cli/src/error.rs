use std::{io, path::PathBuf};

/// A command could not do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be read or written.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// `inproxy.toml` is not what it should be.
    #[error("{path}: {error}")]
    Project {
        /// Which file.
        path: PathBuf,
        /// What is wrong, and where.
        error: Box<toml::de::Error>,
    },
    /// A program could not be started.
    #[error("cannot run `{program}`: {error}")]
    Program {
        /// Its name.
        program: &'static str,
        /// Why.
        error: io::Error,
    },
    /// The wasm target is missing and could not be added.
    #[error("the target {target} is missing, and `rustup target add {target}` did not add it:\n{said}", target = crate::TARGET)]
    Target {
        /// What rustup said.
        said: String,
    },
    /// The crate does not compile; cargo said why.
    #[error("the filter does not compile")]
    Compile,
    /// Cargo compiled something else.
    #[error("no .wasm came out of {0}: does its Cargo.toml have a [lib] with crate-type = [\"cdylib\", \"rlib\"]?")]
    NoModule(PathBuf),
    /// A module is of another SDK.
    #[error("{0} does not say which callbacks it needs, so that it is no module of inproxy; name those to keep, as in `--hooks request_headers,log`")]
    NoNeeds(PathBuf),
    /// The module cannot be loaded.
    #[error("{path} is not a filter's module: {reason}")]
    Module {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// No plugin of a module can be run.
    #[error(
        "`run` serves HTTP filters, and {path} has {plugins}; choose one with `filter.root_id` in inproxy.toml, or run what is there in a test, which places it by what it is"
    )]
    NoHttpFilter {
        /// The module.
        path: PathBuf,
        /// What there is.
        plugins: String,
    },
    /// Envoy is missing.
    #[error(transparent)]
    Install(#[from] inproxy_envoy::InstallError),
    /// Envoy does not start.
    #[error(transparent)]
    Start(#[from] inproxy_envoy::StartError),
    /// Envoy does not answer.
    #[error(transparent)]
    Client(#[from] inproxy_envoy::client::ClientError),
    /// Envoy refused the filter's configuration.
    #[error("Envoy refused the filter:\n{0}")]
    Refused(String),
    /// A sample request cannot be sent as it is written.
    #[error("the sample request {title:?} is not valid: {reason}")]
    Sample {
        /// Which.
        title: String,
        /// Why.
        reason: String,
    },
    /// A sample request was answered otherwise than expected.
    #[error("{0} of the sample requests were not answered as inproxy.toml expects")]
    Unexpected(usize),
    /// A port could not be had.
    #[error("cannot listen: {0}")]
    Listen(io::Error),
}
