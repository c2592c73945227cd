//! The host functions, as Envoy answers them.

use std::time::Duration;

use inproxy::abi::{Host, LocalReply, Pairs, Status, encode_pairs};

use super::state::{Call, Deferred, Headers, Shared, State, StreamState};
use crate::message::{Message, Request, Response};

/// What one plugin's VM calls.
#[derive(Clone)]
pub(crate) struct Calls {
    shared: Shared,
    plugin: usize,
}

/// The ABI's numbers of buffers.
const REQUEST_BODY: u32 = 0;
const RESPONSE_BODY: u32 = 1;
const CALL_BODY: u32 = 4;
const VM_CONFIGURATION: u32 = 6;
const CONFIGURATION: u32 = 7;

/// The highest number of a buffer, and of a map.
const LAST_BUFFER: u32 = 8;
const LAST_MAP: u32 = 7;

/// The highest level of the log.
const CRITICAL: u32 = 5;

/// How many host calls a trap is reported with.
const RECENT: usize = 6;

// === impl Calls ===

impl Calls {
    pub(crate) fn new(shared: Shared, plugin: usize) -> Self {
        Self { shared, plugin }
    }

    /// What a panic of the filter said, if it panicked.
    pub(crate) fn take_panic(&self) -> Option<String> {
        self.shared.with(|state| state.plugins[self.plugin].panic.take())
    }

    /// Counts a call; the status with which the test has it refused, if it does.
    fn count(&self, call: &'static str) -> Result<(), Status> {
        self.with(|state| {
            if state.recent_calls.len() == RECENT {
                state.recent_calls.pop_front();
            }
            state.recent_calls.push_back(call);
            let count = state.host_calls.entry(call).or_default();
            *count += 1;
            let refused = state.refusals.iter().find(|refusal| refusal.call == call && refusal.nth.is_none_or(|nth| nth == *count));
            refused.map_or(Ok(()), |refusal| Err(refusal.status))
        })
    }

    /// The engine has run so many instructions in a callback.
    pub(crate) fn spent(&self, fuel: u64) {
        self.with(|state| state.fuel += fuel);
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        self.shared.with(act)
    }

    /// The stream that calls act on.
    fn stream<T>(&self, act: impl FnOnce(&mut StreamState) -> T) -> Option<T> {
        self.with(|state| {
            let plugin = &state.plugins[self.plugin];
            let (stream, _) = *plugin.contexts.get(&plugin.effective)?;
            Some(act(&mut state.streams[stream]))
        })
    }

    /// A header map, if it can be reached now.
    fn map<T>(&self, map: u32, write: bool, act: impl FnOnce(&mut Headers) -> T) -> Result<T, Status> {
        if map > LAST_MAP {
            return Err(Status::BAD_ARGUMENT);
        }
        if map >= 6 {
            return self.with(|state| {
                let answer = state.plugins[self.plugin].answer.as_mut().filter(|_| map == 6 && !write);
                answer.map(|(headers, _)| act(headers)).ok_or(Status::BAD_ARGUMENT)
            });
        }
        let direction = if map < 2 { 0 } else { 1 };
        let reached = self.stream(|stream| {
            let reach = stream.reach.get(self.plugin)?;
            let reach = &reach[direction];
            let here = match map {
                0 | 2 => reach.headers || (stream.logging && !write),
                1 | 3 => reach.trailers || (stream.logging && !write),
                _ => false,
            };
            let map = if map.is_multiple_of(2) { &mut stream.headers[direction] } else { &mut stream.trailers[direction] };
            here.then(|| act(map))
        });
        reached.flatten().ok_or(Status::BAD_ARGUMENT)
    }

    fn edit(&self, map: u32, edit: impl FnOnce(&mut Headers)) -> Status {
        self.map(map, true, edit).map_or_else(|status| status, |()| Status::OK)
    }
}

impl Host for Calls {
    fn log(&self, level: u32, message: &[u8]) -> Status {
        if let Err(status) = self.count("proxy_log") {
            return status;
        }
        if level > CRITICAL {
            return Status::BAD_ARGUMENT;
        }
        self.with(|state| state.log.push(String::from_utf8_lossy(message).into_owned()));
        Status::OK
    }

    fn log_level(&self) -> Result<u32, Status> {
        const INFO: u32 = 2;
        self.count("proxy_get_log_level")?;
        Ok(INFO)
    }

    fn environment(&self, name: &str) -> Option<String> {
        let hold = self.with(|state| state.plugins[self.plugin].hold_headers);
        (hold && name == "INPROXY_ALLOW_ON_HEADERS_STOP_ITERATION").then(|| "true".to_owned())
    }

    fn panicked(&self, message: &str) {
        self.with(|state| state.plugins[self.plugin].panic = Some(message.to_owned()));
    }

    fn current_time(&self) -> Result<u64, Status> {
        self.count("proxy_get_current_time_nanoseconds")?;
        // Some time in 2026: a filter must not think that it is 1970.
        const START: Duration = Duration::from_secs(1_780_000_000);
        Ok(self.with(|state| (START + state.now).as_nanos() as u64))
    }

    fn set_tick_period(&self, milliseconds: u32) -> Status {
        if let Err(status) = self.count("proxy_set_tick_period_milliseconds") {
            return status;
        }
        self.with(|state| {
            let plugin = &mut state.plugins[self.plugin];
            let root = plugin.root_of(plugin.effective);
            plugin.roots.entry(root).or_default().tick = milliseconds;
        });
        Status::OK
    }

    fn buffer(&self, buffer: u32, start: usize, max: usize) -> Result<Vec<u8>, Status> {
        self.count("proxy_get_buffer_bytes")?;
        if buffer > LAST_BUFFER || start.checked_add(max).is_none() {
            return Err(Status::BAD_ARGUMENT);
        }
        let part = |bytes: &[u8]| bytes.iter().skip(start).take(max).copied().collect();
        match buffer {
            CONFIGURATION => self.with(|state| {
                let plugin = &state.plugins[self.plugin];
                plugin.roots.get(&plugin.current).map(|root| part(&root.configuration)).ok_or(Status::NOT_FOUND)
            }),
            VM_CONFIGURATION => Ok(Vec::new()),
            CALL_BODY => self.with(|state| state.plugins[self.plugin].answer.as_ref().map(|(_, body)| part(body)).ok_or(Status::NOT_FOUND)),
            REQUEST_BODY | RESPONSE_BODY => {
                let bytes = self.stream(|stream| {
                    let reach = &stream.reach.get(self.plugin)?[buffer as usize];
                    reach.body.then(|| part(&reach.buffer))
                });
                Ok(bytes.flatten().unwrap_or_default())
            }
            _ => Ok(Vec::new()),
        }
    }

    fn set_buffer(&self, buffer: u32, start: usize, size: usize, bytes: &[u8]) -> Status {
        if let Err(status) = self.count("proxy_set_buffer_bytes") {
            return status;
        }
        if buffer > RESPONSE_BODY {
            return Status::BAD_ARGUMENT;
        }
        let set = self.stream(|stream| {
            let reach = &mut stream.reach.get_mut(self.plugin)?[buffer as usize];
            if !reach.body {
                return None;
            }
            let length = reach.buffer.len();
            if start == 0 {
                reach.buffer.splice(..size.min(length), bytes.iter().copied());
            } else if start >= length {
                reach.buffer.extend(bytes);
            } else {
                return None;
            }
            Some(())
        });
        set.flatten().map_or(Status::BAD_ARGUMENT, |()| Status::OK)
    }

    fn header_pairs(&self, map: u32) -> Result<Vec<u8>, Status> {
        self.count("proxy_get_header_map_pairs")?;
        if map > LAST_MAP {
            return Err(Status::BAD_ARGUMENT);
        }
        let pairs = self.map(map, false, |headers| encode_pairs(headers.iter().map(|(name, value)| (&**name, &**value))));
        Ok(pairs.unwrap_or_default())
    }

    fn set_header_pairs(&self, map: u32, pairs: &[u8]) -> Status {
        if let Err(status) = self.count("proxy_set_header_map_pairs") {
            return status;
        }
        self.edit(map, |headers| *headers = Pairs::new(pairs).map(|(name, value)| (name.to_vec(), value.to_vec())).collect())
    }

    fn header(&self, map: u32, name: &[u8]) -> Result<Vec<u8>, Status> {
        self.count("proxy_get_header_map_value")?;
        let name = if name.eq_ignore_ascii_case(b"host") { b":authority" } else { name };
        let found =
            self.map(map, false, |headers| headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone()));
        found?.ok_or(Status::NOT_FOUND)
    }

    fn add_header(&self, map: u32, name: &[u8], value: &[u8]) -> Status {
        if let Err(status) = self.count("proxy_add_header_map_value") {
            return status;
        }
        self.edit(map, |headers| headers.push((name.to_ascii_lowercase(), value.to_vec())))
    }

    fn replace_header(&self, map: u32, name: &[u8], value: &[u8]) -> Status {
        if let Err(status) = self.count("proxy_replace_header_map_value") {
            return status;
        }
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
        if let Err(status) = self.count("proxy_remove_header_map_value") {
            return status;
        }
        self.edit(map, |headers| headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name)))
    }

    fn property(&self, path: &[u8]) -> Result<Vec<u8>, Status> {
        self.count("proxy_get_property")?;
        match path {
            b"plugin_root_id" | b"plugin_name" => Ok(self.with(|state| state.plugins[self.plugin].root_id.clone().into_bytes())),
            b"plugin_vm_id" => Ok(Vec::new()),
            _ => Err(Status::NOT_FOUND),
        }
    }

    fn continue_stream(&self, stream: u32) -> Status {
        if let Err(status) = self.count("proxy_continue_stream") {
            return status;
        }
        match stream {
            0 | 1 => self.defer(|stream_index| Deferred::Continue { stream: stream_index, direction: stream as usize }),
            2 => Status::OK,
            3 => Status::UNIMPLEMENTED,
            _ => Status::BAD_ARGUMENT,
        }
    }

    fn close_stream(&self, stream: u32) -> Status {
        if let Err(status) = self.count("proxy_close_stream") {
            return status;
        }
        match stream {
            0 | 1 => self.defer(|stream| Deferred::Close { stream }),
            2 | 3 => Status::OK,
            _ => Status::BAD_ARGUMENT,
        }
    }

    fn send_local_response(&self, reply: LocalReply<'_>) -> Status {
        if let Err(status) = self.count("proxy_send_local_response") {
            return status;
        }
        let headers = Pairs::new(reply.headers).map(|(name, value)| (String::from_utf8_lossy(name).to_lowercase(), value.to_vec()));
        let mut headers: Vec<_> = headers.filter(|(name, _)| name != ":status" && name != "content-length").collect();
        headers.push(("content-length".to_owned(), reply.body.len().to_string().into_bytes()));
        if !reply.body.is_empty() && !headers.iter().any(|(name, _)| name == "content-type") {
            headers.push(("content-type".to_owned(), b"text/plain".to_vec()));
        }
        let message = Message { headers, body: reply.body.to_vec(), ..Message::default() };
        let response = Response { status: reply.status as u16, message, delay: Duration::ZERO, cut_off: false };
        self.defer(|stream| Deferred::Reply { stream, response })
    }

    fn http_call(&self, upstream: &[u8], headers: &[u8], body: &[u8], trailers: &[u8], timeout_ms: u32) -> Result<u32, Status> {
        self.count("proxy_http_call")?;
        let cluster = String::from_utf8_lossy(upstream).into_owned();
        let headers: Headers = Pairs::new(headers).map(|(name, value)| (name.to_ascii_lowercase(), value.to_vec())).collect();
        let get = |name: &[u8]| headers.iter().find(|(other, _)| other == name).map(|(_, value)| String::from_utf8_lossy(value).into_owned());
        let (Some(method), Some(path), Some(authority)) = (get(b":method"), get(b":path"), get(b":authority").or_else(|| get(b"host"))) else {
            return Err(Status::BAD_ARGUMENT);
        };
        if headers.iter().any(|(_, value)| value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0))) {
            return Err(Status::INTERNAL_FAILURE);
        }
        let trailers: Headers = Pairs::new(trailers).map(|(name, value)| (name.to_vec(), value.to_vec())).collect();
        let request = Request { method, path, authority, message: super::message(&headers, body.to_vec(), &trailers) };
        self.with(|state| {
            match state.clusters.get(&cluster) {
                None => return Err(Status::BAD_ARGUMENT),
                Some(false) => return Err(Status::INTERNAL_FAILURE),
                Some(true) => {}
            }
            let plugin = &mut state.plugins[self.plugin];
            plugin.tokens += 4;
            let call = Call {
                plugin: self.plugin,
                vm: plugin.generation,
                root: plugin.root_of(plugin.effective),
                token: plugin.tokens,
                cluster,
                request,
                timeout: Duration::from_millis(timeout_ms.into()),
                answer: None,
            };
            let token = call.token;
            state.new_calls.push(state.calls.len());
            state.calls.push(call);
            Ok(token)
        })
    }

    fn set_effective_context(&self, context: u32) -> Status {
        if let Err(status) = self.count("proxy_set_effective_context") {
            return status;
        }
        self.with(|state| {
            let plugin = &mut state.plugins[self.plugin];
            if context != 0 && !plugin.roots.contains_key(&context) && !plugin.contexts.contains_key(&context) {
                return Status::BAD_ARGUMENT;
            }
            plugin.effective = context;
            Status::OK
        })
    }

    fn define_metric(&self, kind: u32, name: &[u8]) -> Result<u32, Status> {
        self.count("proxy_define_metric")?;
        if kind > 2 {
            return Err(Status::BAD_ARGUMENT);
        }
        self.with(|state| {
            state.metrics.push((kind, String::from_utf8_lossy(name).into_owned()));
            Ok(((state.metrics.len() as u32 - 1) << 2) | kind)
        })
    }

    fn metric(&self, id: u32) -> Result<u64, Status> {
        self.count("proxy_get_metric")?;
        self.with(|state| {
            let (kind, name) = state.metrics.get((id >> 2) as usize).ok_or(Status::NOT_FOUND)?;
            if *kind == 2 { Err(Status::BAD_ARGUMENT) } else { Ok(state.values.get(name).copied().unwrap_or(0)) }
        })
    }

    fn record_metric(&self, id: u32, value: u64) -> Status {
        if let Err(status) = self.count("proxy_record_metric") {
            return status;
        }
        self.change_metric(id, |kind, old| if kind == 0 { Some(old.wrapping_add(value)) } else { Some(value) })
    }

    fn increment_metric(&self, id: u32, offset: i64) -> Status {
        if let Err(status) = self.count("proxy_increment_metric") {
            return status;
        }
        self.change_metric(id, |kind, old| match kind {
            0 if offset <= 0 => None,
            0 | 1 => Some(old.wrapping_add_signed(offset)),
            _ => None,
        })
    }
}

impl Calls {
    /// Has something done with the effective stream when the callback has returned. Without a stream Envoy does nothing, and says that it did.
    fn defer(&self, action: impl FnOnce(usize) -> Deferred) -> Status {
        self.with(|state| {
            let plugin = &mut state.plugins[self.plugin];
            if let Some((stream, _)) = plugin.contexts.get(&plugin.effective).copied() {
                plugin.deferred.push(action(stream));
            }
        });
        Status::OK
    }

    fn change_metric(&self, id: u32, change: impl FnOnce(u32, u64) -> Option<u64>) -> Status {
        self.with(|state| {
            let Some((kind, name)) = state.metrics.get((id >> 2) as usize).cloned() else { return Status::NOT_FOUND };
            let value = state.values.entry(name).or_default();
            match change(kind, *value) {
                Some(new) => {
                    *value = new;
                    Status::OK
                }
                None => Status::BAD_ARGUMENT,
            }
        })
    }
}
