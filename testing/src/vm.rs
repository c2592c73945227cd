//! Where a filter's code runs, as the model sees it: something that is called, and calls back.

mod here;
mod native;
mod wasm;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use cargo_inproxy::trim;

pub(crate) use self::here::HereVm;
pub(crate) use self::native::NativeVm;
pub(crate) use self::wasm::{Module, WasmVm};

/// A VM with one plugin.
pub(crate) trait Vm {
    /// Calls in; what it returned, if it returns something.
    fn call(&mut self, callback: Callback) -> Result<u32, Trap>;

    /// Whether it has a callback; what it lacks is not called.
    fn has(&self, callback: Callback) -> bool {
        let _ = callback;
        true
    }

    /// How many bytes of memory it has; 0 if that is not its own.
    fn memory(&self) -> u64 {
        0
    }
}

/// Builds the filter crate in a folder, once in a process; the module's file.
///
/// # Panics
///
/// If it does not build.
pub fn built(manifest_dir: &str) -> PathBuf {
    static BUILT: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(path) = built.get(manifest_dir) {
        return path.clone();
    }
    let fresh = build(manifest_dir).unwrap_or_else(|error| panic!("the module of {manifest_dir}: {error}"));
    built.insert(manifest_dir.to_owned(), fresh.clone());
    fresh
}

/// A module as `cargo inproxy build` makes it, trimmed; one of another SDK as it is. An example of a crate is named behind a `#`; behind it, `@untrimmed` leaves it whole.
fn build(manifest_dir: &str) -> Result<PathBuf, cargo_inproxy::Error> {
    let built = match manifest_dir.split_once('#') {
        Some((dir, example)) => match example.strip_suffix("@untrimmed") {
            Some(example) => return cargo_inproxy::compile_example(Path::new(dir), example),
            None => cargo_inproxy::compile_example(Path::new(dir), example)?,
        },
        None => cargo_inproxy::compile(Path::new(manifest_dir))?,
    };
    match trim::beside(&built, &trim::Options::default()) {
        Ok((path, _)) => Ok(path),
        Err(cargo_inproxy::Error::NoNeeds(_)) => Ok(built),
        Err(error) => Err(error),
    }
}

/// The VM is dead.
#[derive(Clone, Debug)]
pub(crate) struct Trap(pub(crate) String);

/// What a proxy calls in a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Callback {
    Initialize,
    ContextCreate { context: u32, parent: u32 },
    VmStart { root: u32 },
    Configure { root: u32, size: u32 },
    Tick { root: u32 },
    QueueReady { root: u32, queue: u32 },
    GrpcInitialMetadata { root: u32, token: u32, headers: u32 },
    GrpcReceive { root: u32, token: u32, size: u32 },
    GrpcTrailingMetadata { root: u32, token: u32, trailers: u32 },
    GrpcClose { root: u32, token: u32, status: u32 },
    RequestHeaders { context: u32, headers: u32, end_of_stream: bool },
    RequestBody { context: u32, size: u32, end_of_stream: bool },
    RequestTrailers { context: u32, trailers: u32 },
    ResponseHeaders { context: u32, headers: u32, end_of_stream: bool },
    ResponseBody { context: u32, size: u32, end_of_stream: bool },
    ResponseTrailers { context: u32, trailers: u32 },
    NewConnection { context: u32 },
    DownstreamData { context: u32, size: u32, end_of_stream: bool },
    UpstreamData { context: u32, size: u32, end_of_stream: bool },
    UpstreamClose { context: u32, peer: u32 },
    DownstreamClose { context: u32, peer: u32 },
    CallResponse { root: u32, token: u32, headers: u32, body: u32, trailers: u32 },
    Log { context: u32 },
    Done { context: u32 },
    Delete { context: u32 },
}

// === impl Callback ===

impl Callback {
    /// The context that is called.
    pub(crate) const fn context(self) -> u32 {
        match self {
            Self::Initialize => 0,
            Self::VmStart { root }
            | Self::Configure { root, .. }
            | Self::Tick { root }
            | Self::QueueReady { root, .. }
            | Self::CallResponse { root, .. }
            | Self::GrpcInitialMetadata { root, .. }
            | Self::GrpcReceive { root, .. }
            | Self::GrpcTrailingMetadata { root, .. }
            | Self::GrpcClose { root, .. } => root,
            Self::ContextCreate { context, .. }
            | Self::RequestHeaders { context, .. }
            | Self::RequestBody { context, .. }
            | Self::RequestTrailers { context, .. }
            | Self::ResponseHeaders { context, .. }
            | Self::ResponseBody { context, .. }
            | Self::ResponseTrailers { context, .. }
            | Self::NewConnection { context }
            | Self::DownstreamData { context, .. }
            | Self::UpstreamData { context, .. }
            | Self::UpstreamClose { context, .. }
            | Self::DownstreamClose { context, .. }
            | Self::Log { context }
            | Self::Done { context }
            | Self::Delete { context } => context,
        }
    }

    /// With another name for what it is of: ids of contexts, and tokens, are so much higher.
    pub(crate) fn shifted(mut self, by: u32) -> Self {
        match &mut self {
            Self::Initialize => {}
            Self::ContextCreate { context, parent } => {
                *context += by;
                *parent += if *parent == 0 { 0 } else { by };
            }
            Self::VmStart { root } | Self::Configure { root, .. } | Self::Tick { root } | Self::QueueReady { root, .. } => *root += by,
            Self::CallResponse { root, token, .. }
            | Self::GrpcInitialMetadata { root, token, .. }
            | Self::GrpcReceive { root, token, .. }
            | Self::GrpcTrailingMetadata { root, token, .. }
            | Self::GrpcClose { root, token, .. } => {
                *root += by;
                *token += by;
            }
            Self::RequestHeaders { context, .. }
            | Self::RequestBody { context, .. }
            | Self::RequestTrailers { context, .. }
            | Self::ResponseHeaders { context, .. }
            | Self::ResponseBody { context, .. }
            | Self::ResponseTrailers { context, .. }
            | Self::NewConnection { context }
            | Self::DownstreamData { context, .. }
            | Self::UpstreamData { context, .. }
            | Self::UpstreamClose { context, .. }
            | Self::DownstreamClose { context, .. }
            | Self::Log { context }
            | Self::Done { context }
            | Self::Delete { context } => *context += by,
        }
        self
    }

    /// The export's name and arguments.
    pub(crate) fn export(self) -> (&'static str, Vec<u32>) {
        match self {
            Self::Initialize => ("_initialize", vec![]),
            Self::ContextCreate { context, parent } => ("proxy_on_context_create", vec![context, parent]),
            Self::VmStart { root } => ("proxy_on_vm_start", vec![root, 0]),
            Self::Configure { root, size } => ("proxy_on_configure", vec![root, size]),
            Self::Tick { root } => ("proxy_on_tick", vec![root]),
            Self::QueueReady { root, queue } => ("proxy_on_queue_ready", vec![root, queue]),
            Self::GrpcInitialMetadata { root, token, headers } => ("proxy_on_grpc_receive_initial_metadata", vec![root, token, headers]),
            Self::GrpcReceive { root, token, size } => ("proxy_on_grpc_receive", vec![root, token, size]),
            Self::GrpcTrailingMetadata { root, token, trailers } => ("proxy_on_grpc_receive_trailing_metadata", vec![root, token, trailers]),
            Self::GrpcClose { root, token, status } => ("proxy_on_grpc_close", vec![root, token, status]),
            Self::RequestHeaders { context, headers, end_of_stream } => ("proxy_on_request_headers", vec![context, headers, end_of_stream.into()]),
            Self::RequestBody { context, size, end_of_stream } => ("proxy_on_request_body", vec![context, size, end_of_stream.into()]),
            Self::RequestTrailers { context, trailers } => ("proxy_on_request_trailers", vec![context, trailers]),
            Self::ResponseHeaders { context, headers, end_of_stream } => ("proxy_on_response_headers", vec![context, headers, end_of_stream.into()]),
            Self::ResponseBody { context, size, end_of_stream } => ("proxy_on_response_body", vec![context, size, end_of_stream.into()]),
            Self::ResponseTrailers { context, trailers } => ("proxy_on_response_trailers", vec![context, trailers]),
            Self::NewConnection { context } => ("proxy_on_new_connection", vec![context]),
            Self::DownstreamData { context, size, end_of_stream } => ("proxy_on_downstream_data", vec![context, size, end_of_stream.into()]),
            Self::UpstreamData { context, size, end_of_stream } => ("proxy_on_upstream_data", vec![context, size, end_of_stream.into()]),
            Self::UpstreamClose { context, peer } => ("proxy_on_upstream_connection_close", vec![context, peer]),
            Self::DownstreamClose { context, peer } => ("proxy_on_downstream_connection_close", vec![context, peer]),
            Self::CallResponse { root, token, headers, body, trailers } => {
                ("proxy_on_http_call_response", vec![root, token, headers, body, trailers])
            }
            Self::Log { context } => ("proxy_on_log", vec![context]),
            Self::Done { context } => ("proxy_on_done", vec![context]),
            Self::Delete { context } => ("proxy_on_delete", vec![context]),
        }
    }
}
