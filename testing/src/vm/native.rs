use std::{
    rc::Rc,
    sync::mpsc::{Receiver, Sender, channel},
    thread::{self, JoinHandle},
};

use inproxy::abi::{Host, enter, vm};

use super::{Callback, Trap, Vm};
use crate::{allocations, model::Calls};

/// The filter as ordinary Rust code, in a thread of its own: there its thread locals are those of one VM.
pub(crate) struct NativeVm {
    callbacks: Option<Sender<Callback>>,
    results: Receiver<Result<u32, Trap>>,
    thread: Option<JoinHandle<()>>,
}

// === impl NativeVm ===

impl NativeVm {
    pub(crate) fn start(calls: Calls) -> Self {
        let (callbacks, incoming) = channel();
        let (outgoing, results) = channel();
        let name = thread::current().name().unwrap_or("test").to_owned();
        let run = move || {
            let calls = Rc::new(calls.reentering(|callback| {
                call(callback);
            }));
            while let Ok(callback) = incoming.recv() {
                let before = allocations::count();
                let result = enter(Rc::clone(&calls) as Rc<dyn Host>, || {
                    let _filter = allocations::Side::filter();
                    call(callback)
                });
                calls.allocated(allocations::count() - before);
                let result = calls.take_panic().map_or(Ok(result), |message| Err(Trap(message)));
                if outgoing.send(result).is_err() {
                    break;
                }
            }
        };
        let thread = thread::Builder::new().name(name).spawn(run).expect("a thread for the filter");
        Self { callbacks: Some(callbacks), results, thread: Some(thread) }
    }
}

impl Vm for NativeVm {
    fn call(&mut self, callback: Callback) -> Result<u32, Trap> {
        let sent = self.callbacks.as_ref().is_some_and(|callbacks| callbacks.send(callback).is_ok());
        if !sent {
            return Err(Trap("the thread of the filter has ended".to_owned()));
        }
        self.results.recv().unwrap_or_else(|_| Err(Trap("the thread of the filter has ended".to_owned())))
    }
}

impl Drop for NativeVm {
    fn drop(&mut self) {
        self.callbacks.take();
        if let Some(thread) = self.thread.take() {
            // It has said what there was to say.
            let _ = thread.join();
        }
    }
}

/// Makes the filter's code in this thread run a callback.
pub(super) fn call(callback: Callback) -> u32 {
    match callback {
        Callback::Initialize => vm::initialize(),
        Callback::ContextCreate { context, parent } => vm::on_context_create(context, parent),
        Callback::VmStart { root } => return vm::on_vm_start(root, 0).into(),
        Callback::Configure { root, size } => return vm::on_configure(root, size as usize).into(),
        Callback::Tick { root } => vm::on_tick(root),
        Callback::QueueReady { root, queue } => vm::on_queue_ready(root, queue),
        Callback::GrpcInitialMetadata { root, token, headers } => vm::on_grpc_receive_initial_metadata(root, token, headers),
        Callback::GrpcReceive { root, token, size } => vm::on_grpc_receive(root, token, size as usize),
        Callback::GrpcTrailingMetadata { root, token, trailers } => vm::on_grpc_receive_trailing_metadata(root, token, trailers),
        Callback::GrpcClose { root, token, status } => vm::on_grpc_close(root, token, status),
        Callback::RequestHeaders { context, headers, end_of_stream } => return vm::on_request_headers(context, headers as usize, end_of_stream),
        Callback::RequestBody { context, size, end_of_stream } => return vm::on_request_body(context, size as usize, end_of_stream),
        Callback::RequestTrailers { context, trailers } => return vm::on_request_trailers(context, trailers as usize),
        Callback::ResponseHeaders { context, headers, end_of_stream } => return vm::on_response_headers(context, headers as usize, end_of_stream),
        Callback::ResponseBody { context, size, end_of_stream } => return vm::on_response_body(context, size as usize, end_of_stream),
        Callback::ResponseTrailers { context, trailers } => return vm::on_response_trailers(context, trailers as usize),
        Callback::NewConnection { context } => return vm::on_new_connection(context),
        Callback::DownstreamData { context, size, end_of_stream } => return vm::on_downstream_data(context, size as usize, end_of_stream),
        Callback::UpstreamData { context, size, end_of_stream } => return vm::on_upstream_data(context, size as usize, end_of_stream),
        Callback::UpstreamClose { context, peer } => vm::on_upstream_connection_close(context, peer),
        Callback::DownstreamClose { context, peer } => vm::on_downstream_connection_close(context, peer),
        Callback::CallResponse { root, token, headers, body, trailers } => {
            vm::on_http_call_response(root, token, headers as usize, body as usize, trailers as usize);
        }
        Callback::Log { context } => vm::on_log(context),
        Callback::Done { context } => return vm::on_done(context).into(),
        Callback::Delete { context } => vm::on_delete(context),
    }
    0
}
