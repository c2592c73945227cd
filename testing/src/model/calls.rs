//! The host functions, as Envoy answers them.

mod metrics;
mod recording;
mod refusing;
mod streams;

use std::time::Duration;

use inproxy::abi::{Host, LocalReply, Pairs, Status, encode_pairs};

pub(crate) use self::refusing::{Faults, Refused, Refusing};
use super::{
    broken::Broken,
    foreign,
    grpc::{self, Opened},
    joined, properties,
    shared::SharedData,
    state::{Call, Deferred, Headers, Shared, State, StreamState, Thread},
};
use crate::{allocations::Side, message::Request, running::LogLevel, vm::Callback};

/// What one VM calls.
#[derive(Clone)]
pub(crate) struct Calls {
    shared: Shared,
    vm: usize,
    /// How a host call calls back into the VM, where that is not the engine's affair.
    reenter: Option<fn(Callback)>,
}

/// Set with `allow_on_headers_stop_iteration`, as generated configurations do.
const HOLD_VARIABLE: &str = "INPROXY_ALLOW_ON_HEADERS_STOP_ITERATION";

/// Some time in 2026: a filter must not think that it is 1970.
pub(crate) const START: Duration = Duration::from_secs(1_780_000_000);

/// The ABI's numbers of buffers.
const REQUEST_BODY: u32 = 0;
const RESPONSE_BODY: u32 = 1;
const DOWNSTREAM_DATA: u32 = 2;
const UPSTREAM_DATA: u32 = 3;
const CALL_BODY: u32 = 4;
const GRPC_MESSAGE: u32 = 5;
const VM_CONFIGURATION: u32 = 6;
const CONFIGURATION: u32 = 7;

/// And of maps.
const REQUEST_HEADERS: u32 = 0;
const RESPONSE_HEADERS: u32 = 2;

/// The one map of a stream that is gone when it is logged.
const REQUEST_TRAILERS: u32 = 1;

/// And of the maps that are not a stream's.
const GRPC_INITIAL_METADATA: u32 = 4;
const GRPC_TRAILING_METADATA: u32 = 5;
const CALL_HEADERS: u32 = 6;
const CALL_TRAILERS: u32 = 7;

/// The highest number of a buffer, and of a map.
const LAST_BUFFER: u32 = 8;
const LAST_MAP: u32 = 7;

/// How many host calls a trap is reported with.
const RECENT: usize = 6;

/// Begins a host call that answers with a status alone.
macro_rules! host_call {
    ($self:ident, $name:literal) => {
        let _host = match $self.enter($name) {
            Ok(host) => host,
            Err(status) => return status,
        };
    };
}

fn status(result: Result<(), Status>) -> Status {
    result.err().unwrap_or(Status::OK)
}

fn pairs(bytes: &[u8]) -> Headers {
    Pairs::new(bytes).map(|(name, value)| (name.to_ascii_lowercase(), value.to_vec())).collect()
}

// === impl Calls ===

impl Calls {
    pub(crate) fn new(shared: Shared, vm: usize) -> Self {
        Self { shared, vm, reenter: None }
    }

    /// For a VM that host calls call back into through this.
    pub(crate) fn reentering(self, reenter: fn(Callback)) -> Self {
        Self { reenter: Some(reenter), ..self }
    }

    /// What a panic of the filter said, if it panicked.
    pub(crate) fn take_panic(&self) -> Option<String> {
        self.with(|state| state.vms[self.vm].panic.take())
    }

    /// A host call begins: while the result lives, allocations are the host's. The status with which the test has it refused, if it does.
    fn enter(&self, call: &'static str) -> Result<Side, Status> {
        let side = Side::host();
        self.with(|state| {
            let recent = &mut state.vms[self.vm].recent_calls;
            if recent.len() == RECENT {
                recent.pop_front();
            }
            recent.push_back(call);
            let number = matches!(state.vms[self.vm].thread, Thread::Worker(_)).then(|| {
                let count = state.costs.host_calls.entry(call).or_default();
                *count += 1;
                *count
            });
            state.refusing.status(call, number).map_or(Ok(side), Err)
        })
    }

    /// The engine has run so many instructions in a callback.
    pub(crate) fn spent(&self, fuel: u64) {
        self.costs(|costs| costs.fuel += fuel);
    }

    /// The filter has allocated so often in a callback.
    pub(crate) fn allocated(&self, count: u64) {
        self.costs(|costs| costs.allocations += count);
    }

    fn costs(&self, add: impl FnOnce(&mut crate::running::Costs)) {
        self.with(|state| {
            if matches!(state.vms[self.vm].thread, Thread::Worker(_)) {
                add(&mut state.costs);
            }
        });
    }

    /// The VM's environment, as `NAME=value`.
    pub(crate) fn variables(&self) -> Vec<String> {
        let mut names: Vec<_> = self.with(|state| state.around.environment.iter().map(|(name, _)| name.clone()).collect());
        names.push(HOLD_VARIABLE.to_owned());
        names.iter().filter_map(|name| Some(format!("{name}={}", self.environment(name)?))).collect()
    }

    /// The callbacks that Envoy makes within a host call that has just failed: the metadata of a gRPC stream that never was.
    pub(crate) fn within_failed_stream(&self) -> Vec<Callback> {
        self.with(|state| state.reentrant.drain(..).collect())
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        self.shared.with(act)
    }

    /// The stream that calls act on, and the filter that calls.
    fn stream<T>(&self, act: impl FnOnce(&mut StreamState, usize) -> T) -> Option<T> {
        self.with(|state| {
            let vm = &state.vms[self.vm];
            let context = *vm.contexts.get(&vm.effective)?;
            Some(act(&mut state.streams[context.stream], context.filter))
        })
    }

    /// A header map, if it can be reached now.
    fn map<T>(&self, map: u32, write: bool, act: impl FnOnce(&mut Headers) -> T) -> Result<T, Status> {
        if map > LAST_MAP {
            return Err(Status::BAD_ARGUMENT);
        }
        if map >= GRPC_INITIAL_METADATA {
            return self.with(|state| {
                let vm = &mut state.vms[self.vm];
                let found = match map {
                    GRPC_INITIAL_METADATA => vm.grpc_metadata[0].as_mut(),
                    GRPC_TRAILING_METADATA => vm.grpc_metadata[1].as_mut(),
                    CALL_HEADERS => vm.answer.as_mut().map(|(headers, _, _)| headers),
                    CALL_TRAILERS => vm.answer.as_mut().map(|(_, _, trailers)| trailers).filter(|trailers| !trailers.is_empty()),
                    _ => None,
                };
                found.filter(|_| !write).map(act).ok_or(Status::BAD_ARGUMENT)
            });
        }
        let direction = if map < 2 { 0 } else { 1 };
        if map == REQUEST_TRAILERS && !write && self.stream(|stream, _| stream.logging) == Some(true) {
            return Err(Status::NOT_FOUND);
        }
        let reached = self.stream(|stream, filter| {
            let reach = &stream.reach.get(filter)?[direction];
            let here = match map {
                0 | 2 => reach.headers || (stream.logging && !write),
                // Trailers can be made where the body ends.
                _ => reach.trailers || (reach.last && write) || (stream.logging && !write),
            };
            // Whatever is written, and whether it changes anything.
            stream.route_cleared |= here && write && map == 0;
            let map = if map.is_multiple_of(2) { &mut stream.headers[direction] } else { &mut stream.trailers[direction] };
            here.then(|| act(map))
        });
        reached.flatten().ok_or(Status::BAD_ARGUMENT)
    }

    fn edit(&self, map: u32, edit: impl FnOnce(&mut Headers)) -> Status {
        self.map(map, true, edit).map_or_else(|status| status, |()| Status::OK)
    }

    /// `proxy_get_header_map_size`, which the `proxy-wasm` crate does not have: how many bytes names and values have.
    pub(crate) fn header_map_size(&self, map: u32) -> Result<u32, Status> {
        let _host = self.enter("proxy_get_header_map_size")?;
        self.map(map, false, |headers| properties::bytes(headers) as u32)
    }

    /// `proxy_get_buffer_status`, which the `proxy-wasm` crate does not have: how many bytes there are.
    pub(crate) fn buffer_size(&self, buffer: u32) -> Result<u32, Status> {
        let _host = self.enter("proxy_get_buffer_status")?;
        self.read_buffer(buffer, 0, usize::MAX).map(|bytes| bytes.len() as u32)
    }

    fn read_buffer(&self, buffer: u32, start: usize, max: usize) -> Result<Vec<u8>, Status> {
        if buffer > LAST_BUFFER || start.checked_add(max).is_none() {
            return Err(Status::BAD_ARGUMENT);
        }
        let part = |bytes: &[u8]| bytes.iter().skip(start).take(max).copied().collect::<Vec<_>>();
        match buffer {
            CONFIGURATION => self.with(|state| {
                let vm = &state.vms[self.vm];
                let configured = vm.roots.get(&vm.current).filter(|_| vm.callback == "proxy_on_configure");
                configured.map(|root| part(&root.configuration)).ok_or(Status::NOT_FOUND)
            }),
            VM_CONFIGURATION => Ok(Vec::new()),
            CALL_BODY => self.with(|state| state.vms[self.vm].answer.as_ref().map(|(_, body, _)| part(body)).ok_or(Status::NOT_FOUND)),
            GRPC_MESSAGE => Ok(self.with(|state| state.vms[self.vm].grpc_message.as_deref().map(part).unwrap_or_default())),
            REQUEST_BODY | RESPONSE_BODY => {
                let bytes = self.stream(|stream, filter| {
                    let reach = &stream.reach.get(filter)?[buffer as usize];
                    reach.body.then(|| part(&reach.buffer))
                });
                Ok(bytes.flatten().unwrap_or_default())
            }
            DOWNSTREAM_DATA | UPSTREAM_DATA => {
                let direction = (buffer - DOWNSTREAM_DATA) as usize;
                let bytes = self.stream(|stream, _| stream.tcp.as_ref().filter(|tcp| tcp.reach[direction]).map(|tcp| part(&tcp.buffers[direction])));
                Ok(bytes.flatten().unwrap_or_default())
            }
            _ => Ok(Vec::new()),
        }
    }
}

impl Host for Calls {
    fn log(&self, level: u32, message: &[u8]) -> Status {
        host_call!(self, "proxy_log");
        let Some((level, _)) = LogLevel::ALL.get(level as usize) else { return Status::BAD_ARGUMENT };
        self.with(|state| state.log(*level, String::from_utf8_lossy(message)));
        self.logged(message);
        Status::OK
    }

    fn log_level(&self) -> Result<u32, Status> {
        const TRACE: u32 = 0;
        const INFO: u32 = 2;
        let _host = self.enter("proxy_get_log_level")?;
        // Only at this level does the real Envoy tell of its calls.
        Ok(if self.traced() { TRACE } else { INFO })
    }

    fn environment(&self, name: &str) -> Option<String> {
        self.with(|state| {
            if state.hold_headers && name == HOLD_VARIABLE {
                return Some("true".to_owned());
            }
            state.around.environment.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone())
        })
    }

    fn panicked(&self, message: &str) {
        self.with(|state| state.vms[self.vm].panic = Some(message.to_owned()));
    }

    fn current_time(&self) -> Result<u64, Status> {
        let _host = self.enter("proxy_get_current_time_nanoseconds")?;
        Ok(self.with(|state| (START + state.now).as_nanos() as u64))
    }

    /// Other ones each time and in each VM, and the same in each run: a test that fails once fails again.
    fn random(&self, bytes: &mut [u8]) -> bool {
        let mut seed = self.with(|state| {
            state.random += 1;
            state.random
        });
        for byte in bytes {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (seed >> 56) as u8;
        }
        true
    }

    fn monotonic_clock(&self) -> u64 {
        self.with(|state| state.now.as_nanos() as u64)
    }

    fn set_tick_period(&self, milliseconds: u32) -> Status {
        host_call!(self, "proxy_set_tick_period_milliseconds");
        self.with(|state| {
            let vm = &mut state.vms[self.vm];
            let root = vm.root_of(vm.effective);
            if let Some(root) = vm.roots.get_mut(&root) {
                root.tick = (milliseconds, root.tick.1 + 1);
            }
        });
        Status::OK
    }

    fn buffer(&self, buffer: u32, start: usize, max: usize) -> Result<Vec<u8>, Status> {
        let _host = self.enter("proxy_get_buffer_bytes")?;
        self.read_buffer(buffer, start, max)
    }

    fn set_buffer(&self, buffer: u32, start: usize, size: usize, bytes: &[u8]) -> Status {
        host_call!(self, "proxy_set_buffer_bytes");
        if matches!(buffer, CALL_BODY | CONFIGURATION) {
            return Status::NOT_FOUND;
        }
        if buffer > UPSTREAM_DATA {
            return Status::BAD_ARGUMENT;
        }
        let broken = self.with(|state| state.breaks(Broken::BufferInTheMiddle));
        let set = self.stream(|stream, filter| {
            let buffer = match buffer {
                REQUEST_BODY | RESPONSE_BODY => {
                    let reach = &mut stream.reach.get_mut(filter)?[buffer as usize];
                    reach.body.then_some(&mut reach.buffer)?
                }
                _ => {
                    let direction = (buffer - DOWNSTREAM_DATA) as usize;
                    stream.tcp.as_mut().filter(|tcp| tcp.reach[direction]).map(|tcp| &mut tcp.buffers[direction])?
                }
            };
            let length = buffer.len();
            if start == 0 {
                buffer.splice(..size.min(length), bytes.iter().copied());
            } else if start >= length {
                buffer.extend(bytes);
            } else if broken {
                buffer.splice(start..(start + size).min(length), bytes.iter().copied());
            } else {
                return None;
            }
            Some(())
        });
        set.flatten().map_or(Status::BAD_ARGUMENT, |()| Status::OK)
    }

    fn header_pairs(&self, map: u32) -> Result<Vec<u8>, Status> {
        let _host = self.enter("proxy_get_header_map_pairs")?;
        if map > LAST_MAP {
            return Err(Status::BAD_ARGUMENT);
        }
        // Nothing at all stands for no pairs, in a map that is there too.
        let pairs = self.map(map, false, |headers| {
            let pairs = headers.iter().map(|(name, value)| (&**name, &**value));
            if headers.is_empty() { Vec::new() } else { encode_pairs(pairs) }
        });
        Ok(pairs.unwrap_or_default())
    }

    fn set_header_pairs(&self, map: u32, pairs: &[u8]) -> Status {
        host_call!(self, "proxy_set_header_map_pairs");
        self.edit(map, |headers| *headers = self::pairs(pairs))
    }

    fn header(&self, map: u32, name: &[u8]) -> Result<Vec<u8>, Status> {
        let _host = self.enter("proxy_get_header_map_value")?;
        let name = if name.eq_ignore_ascii_case(b"host") { b":authority" } else { name };
        let found =
            self.map(map, false, |headers| headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone()));
        found?.ok_or(Status::NOT_FOUND)
    }

    fn add_header(&self, map: u32, name: &[u8], value: &[u8]) -> Status {
        host_call!(self, "proxy_add_header_map_value");
        let name = name.to_ascii_lowercase();
        self.edit(map, |headers| match map {
            REQUEST_HEADERS => joined::push_request(headers, name, value),
            RESPONSE_HEADERS => joined::push_response(headers, name, value),
            _ => headers.push((name, value.to_vec())),
        })
    }

    fn replace_header(&self, map: u32, name: &[u8], value: &[u8]) -> Status {
        host_call!(self, "proxy_replace_header_map_value");
        self.edit(map, |headers| {
            let same = |(other, _): &(Vec<u8>, Vec<u8>)| other.eq_ignore_ascii_case(name);
            match headers.iter().position(same) {
                Some(first) => {
                    headers[first].1 = value.to_vec();
                    let mut at = 0;
                    headers.retain(|header| {
                        at += 1;
                        at - 1 == first || !same(header)
                    });
                }
                None => headers.push((name.to_ascii_lowercase(), value.to_vec())),
            }
        })
    }

    fn remove_header(&self, map: u32, name: &[u8]) -> Status {
        host_call!(self, "proxy_remove_header_map_value");
        self.edit(map, |headers| headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name)))
    }

    fn property(&self, path: &[u8]) -> Result<Vec<u8>, Status> {
        let _host = self.enter("proxy_get_property")?;
        self.with(|state| properties::get(state, self.vm, path))
    }

    fn set_property(&self, path: &[u8], value: &[u8]) -> Status {
        host_call!(self, "proxy_set_property");
        self.with(|state| properties::set(state, self.vm, path, value))
    }

    fn shared_data(&self, key: &[u8]) -> Result<(Vec<u8>, u32), Status> {
        let _host = self.enter("proxy_get_shared_data")?;
        self.with(|state| SharedData::get(&state.shared_data, key))
    }

    fn set_shared_data(&self, key: &[u8], value: &[u8], cas: u32) -> Status {
        host_call!(self, "proxy_set_shared_data");
        self.with(|state| {
            let conditional = cas != 0 || state.breaks(Broken::ConditionalZero);
            state.shared_data.set(key, value, conditional.then_some(cas))
        })
    }

    fn register_queue(&self, name: &[u8]) -> Result<u32, Status> {
        let _host = self.enter("proxy_register_shared_queue")?;
        self.with(|state| {
            let vm = &state.vms[self.vm];
            let owner = (self.vm, vm.root_of(vm.effective));
            Ok(state.queues.register(name, owner))
        })
    }

    fn resolve_queue(&self, vm_id: &[u8], name: &[u8]) -> Result<u32, Status> {
        let _host = self.enter("proxy_resolve_shared_queue")?;
        self.with(|state| {
            let known = vm_id.is_empty() || vm_id == state.around.vm_id.as_bytes();
            if known { state.queues.resolve(name) } else { Err(Status::NOT_FOUND) }
        })
    }

    fn dequeue(&self, queue: u32) -> Result<Vec<u8>, Status> {
        let _host = self.enter("proxy_dequeue_shared_queue")?;
        self.with(|state| state.queues.dequeue(queue))
    }

    fn enqueue(&self, queue: u32, value: &[u8]) -> Status {
        host_call!(self, "proxy_enqueue_shared_queue");
        self.with(|state| {
            let owner = state.queues.enqueue(queue, value);
            status(owner.map(|owner| state.queued.push((owner, queue))))
        })
    }

    fn continue_stream(&self, stream: u32) -> Status {
        host_call!(self, "proxy_continue_stream");
        self.with(|state| streams::go_on(state, self.vm, stream))
    }

    fn close_stream(&self, stream: u32) -> Status {
        host_call!(self, "proxy_close_stream");
        self.with(|state| streams::close(state, self.vm, stream))
    }

    fn send_local_response(&self, reply: LocalReply<'_>) -> Status {
        host_call!(self, "proxy_send_local_response");
        self.with(|state| streams::reply(state, self.vm, reply))
    }

    fn http_call(&self, upstream: &[u8], headers: &[u8], body: &[u8], trailers: &[u8], timeout_ms: u32) -> Result<u32, Status> {
        let _host = self.enter("proxy_http_call")?;
        let cluster = String::from_utf8_lossy(upstream).into_owned();
        let headers = pairs(headers);
        let get = |name: &[u8]| headers.iter().find(|(other, _)| other == name).map(|(_, value)| String::from_utf8_lossy(value).into_owned());
        let (Some(method), Some(path), Some(authority)) = (get(b":method"), get(b":path"), get(b":authority").or_else(|| get(b"host"))) else {
            return Err(Status::BAD_ARGUMENT);
        };
        if i32::try_from(timeout_ms).is_err() {
            return Err(Status::BAD_ARGUMENT);
        }
        let trailers = pairs(trailers);
        let request = Request { method, path, authority, message: super::message(&headers, body.to_vec(), &trailers) };
        self.with(|state| {
            match state.clusters.get(&cluster) {
                None => return Err(Status::BAD_ARGUMENT),
                Some(false) => return Err(Status::INTERNAL_FAILURE),
                Some(true) => {}
            }
            let vm = &mut state.vms[self.vm];
            let token = vm.token(0);
            let from = vm.caller(self.vm, token);
            state.new_calls.push(state.calls.len());
            state.calls.push(Call { from, cluster, request, timeout: Duration::from_millis(timeout_ms.into()), answer: None });
            Ok(token)
        })
    }

    fn grpc_call(&self, upstream: &[u8], service: &[u8], method: &[u8], metadata: &[u8], message: &[u8], timeout_ms: u32) -> Result<u32, Status> {
        let _host = self.enter("proxy_grpc_call")?;
        let opened = Opened { upstream, service, method, metadata: pairs(metadata), unary: Some((message, timeout_ms)) };
        self.with(|state| grpc::open(state, self.vm, opened))
    }

    fn grpc_stream(&self, upstream: &[u8], service: &[u8], method: &[u8], metadata: &[u8]) -> Result<u32, Status> {
        let _host = self.enter("proxy_grpc_stream")?;
        let opened = Opened { upstream, service, method, metadata: pairs(metadata), unary: None };
        let token = self.with(|state| grpc::open(state, self.vm, opened));
        if let Some(reenter) = self.reenter {
            for callback in self.within_failed_stream() {
                let _filter = Side::filter();
                reenter(callback);
            }
        }
        token
    }

    fn grpc_send(&self, token: u32, message: &[u8], end_of_stream: bool) -> Status {
        host_call!(self, "proxy_grpc_send");
        self.with(|state| grpc::send(state, self.vm, token, message, end_of_stream))
    }

    fn grpc_cancel(&self, token: u32) -> Status {
        host_call!(self, "proxy_grpc_cancel");
        self.with(|state| grpc::end(state, self.vm, token, true))
    }

    fn grpc_close(&self, token: u32) -> Status {
        host_call!(self, "proxy_grpc_close");
        self.with(|state| grpc::end(state, self.vm, token, false))
    }

    fn call_status(&self) -> Result<(u32, Vec<u8>), Status> {
        let _host = self.enter("proxy_get_status")?;
        self.with(|state| {
            let vm = &state.vms[self.vm];
            Ok(vm.roots.get(&vm.root_of(vm.effective)).map(|root| root.status.clone()).unwrap_or_default())
        })
    }

    fn done(&self) -> Status {
        host_call!(self, "proxy_done");
        self.with(|state| {
            let vm = &mut state.vms[self.vm];
            let root = vm.effective;
            if !vm.roots.get(&root).is_some_and(|root| root.ending) {
                return Status::NOT_FOUND;
            }
            vm.deferred.push(Deferred::Done { root });
            Status::OK
        })
    }

    fn foreign_function(&self, name: &[u8], argument: &[u8]) -> Result<Vec<u8>, Status> {
        let _host = self.enter("proxy_call_foreign_function")?;
        self.with(|state| foreign::call(state, self.vm, name, argument))
    }

    fn set_effective_context(&self, context: u32) -> Status {
        host_call!(self, "proxy_set_effective_context");
        self.with(|state| {
            let vm = &mut state.vms[self.vm];
            if context != 0 && !vm.roots.contains_key(&context) && !vm.contexts.contains_key(&context) {
                return Status::BAD_ARGUMENT;
            }
            // None stands for the one whose callback runs.
            vm.effective = if context == 0 { vm.current } else { context };
            Status::OK
        })
    }

    fn define_metric(&self, kind: u32, name: &[u8]) -> Result<u32, Status> {
        let _host = self.enter("proxy_define_metric")?;
        self.with(|state| metrics::define(state, kind, name))
    }

    fn metric(&self, id: u32) -> Result<u64, Status> {
        let _host = self.enter("proxy_get_metric")?;
        self.with(|state| metrics::get(state, id))
    }

    fn record_metric(&self, id: u32, value: u64) -> Status {
        host_call!(self, "proxy_record_metric");
        status(self.with(|state| metrics::record(state, id, value)))
    }

    fn increment_metric(&self, id: u32, offset: i64) -> Status {
        host_call!(self, "proxy_increment_metric");
        status(self.with(|state| metrics::increment(state, id, offset)))
    }
}
