//! The script: what each callback calls.

use crate::abi::{self as sys, Given};

/// A plugin's state. Plugins of one VM share it, as globals are shared: a test that has two of them says so by its script.
struct State {
    lines: Vec<(String, String)>,
    root: u32,
    stream: u32,
    last: u64,
    bytes: Vec<u8>,
}

static mut STATE: State = State { lines: Vec::new(), root: 0, stream: 0, last: 0, bytes: Vec::new() };

fn state() -> &'static mut State {
    // SAFETY: a module has one thread, and no reference is kept across a call that comes back in.
    unsafe { &mut STATE }
}

pub(crate) fn set_root(context: u32) {
    state().root = context;
}

pub(crate) fn set_stream(context: u32) {
    state().stream = context;
}

pub(crate) fn see(context: u32) {
    state().stream = context;
}

/// What a callback returns that accepts unless told otherwise.
pub(crate) fn bool_of(returned: u32) -> u32 {
    1 - returned.min(1)
}

pub(crate) fn configure(size: u32) {
    let (status, given) = sys::bytes(|p, n| unsafe { sys::proxy_get_buffer_bytes(7, 0, size, p, n) });
    let script = match given {
        Given::Bytes(script) if status == 0 => String::from_utf8_lossy(&script).into_owned(),
        _ => String::new(),
    };
    let line = |line: &str| line.trim().split_once(": ").map(|(callback, call)| (callback.to_owned(), call.trim().to_owned()));
    state().lines = script.lines().filter_map(line).collect();
}

/// Runs the lines of a callback; what it returns.
pub(crate) fn run(callback: &str, arguments: &[u32]) -> u32 {
    let mut returned = 0;
    let lines: Vec<_> = state().lines.iter().filter(|(of, _)| of == callback).map(|(_, call)| call.clone()).collect();
    for line in lines {
        let mut words = line.split(' ').filter(|word| !word.is_empty());
        let name = words.next().unwrap_or_default();
        let words: Vec<_> = words.map(word).collect();
        match name {
            "return" => returned = number(&words, 0) as u32,
            // A token depends on what the VM has called before.
            "seen" if callback.starts_with("grpc") => log(&format!("{callback} {:?}", &arguments[1..])),
            "seen" => log(&format!("{callback} {arguments:?}")),
            "trap" => panic!("told to"),
            "remember" => state().last = arguments.get(number(&words, 0) as usize).copied().unwrap_or(0).into(),
            _ => {
                let (status, given) = call(name, &words);
                let text = match given {
                    Given::Nothing => String::new(),
                    Given::Number(value) => {
                        if name != "get_metric" {
                            state().last = value;
                        }
                        // Ids and times are each proxy's own.
                        if matches!(
                            name,
                            "define_metric" | "grpc_call" | "grpc_stream" | "http_call" | "register_queue" | "resolve_queue" | "get_time"
                        ) {
                            String::new()
                        } else {
                            format!(" {value}")
                        }
                    }
                    Given::Bytes(bytes) => {
                        let text = format!(" \"{}\"", bytes.escape_ascii());
                        state().bytes = bytes;
                        text
                    }
                    Given::Both(bytes, number) => {
                        state().last = number;
                        format!(" \"{}\"", bytes.escape_ascii())
                    }
                    Given::Pairs(pairs) => pairs.iter().map(|(name, value)| format!(" {}={}", name.escape_ascii(), value.escape_ascii())).collect(),
                };
                log(&format!("{callback} {line} -> {status}{text}"));
            }
        }
    }
    returned
}

fn log(line: &str) {
    let line = format!("probe: {line}");
    // SAFETY: pointer and length are of one string.
    unsafe { sys::proxy_log(2, line.as_ptr(), line.len()) };
}

fn word(word: &str) -> Vec<u8> {
    let state = state();
    match word {
        "-" => return Vec::new(),
        "$last" => return state.last.to_string().into_bytes(),
        "$stream" => return state.stream.to_string().into_bytes(),
        "$root" => return state.root.to_string().into_bytes(),
        "$bytes" => return state.bytes.clone(),
        _ => {}
    }
    let mut out = Vec::new();
    let mut bytes = word.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => match bytes.next() {
                Some(b's') => out.push(b' '),
                Some(b'0') => out.push(0),
                Some(b'n') => out.push(b'\n'),
                Some(b'x') => {
                    let digits: String = bytes.by_ref().take(2).map(char::from).collect();
                    out.push(u8::from_str_radix(&digits, 16).unwrap_or(b'?'));
                }
                other => out.extend(other),
            },
            _ => out.push(byte),
        }
    }
    out
}

fn text(words: &[Vec<u8>], at: usize) -> &[u8] {
    words.get(at).map(|word| &**word).unwrap_or_default()
}

fn number(words: &[Vec<u8>], at: usize) -> i64 {
    String::from_utf8_lossy(text(words, at)).parse().unwrap_or(0)
}

/// Calls a host function by its name without `proxy_`, shortened where it is long.
fn call(name: &str, words: &[Vec<u8>]) -> (u32, Given) {
    let t = |at: usize| (text(words, at).as_ptr(), text(words, at).len());
    let n = |at: usize| number(words, at) as u32;
    let rest = |from: usize| sys::encode(words.get(from..).unwrap_or_default());
    let done = |status: u32| (status, Given::Nothing);
    let pairs = |(status, given): (u32, Given)| match given {
        Given::Bytes(bytes) => (status, Given::Pairs(sys::decode(&bytes))),
        other => (status, other),
    };
    let ((a, an), (b, bn), (c, cn)) = (t(0), t(1), t(2));
    // SAFETY: pointers and lengths are of the words, which live on; results are written to places of their types.
    unsafe {
        match name {
            "log" => done(sys::proxy_log(n(0), b, bn)),
            "get_log_level" => sys::number(|to| sys::proxy_get_log_level(to)),
            "get_time" => sys::long(|to| sys::proxy_get_current_time_nanoseconds(to)),
            "set_tick_period" => done(sys::proxy_set_tick_period_milliseconds(n(0))),
            "get_buffer" => sys::bytes(|p, size| sys::proxy_get_buffer_bytes(n(0), n(1), n(2), p, size)),
            "get_buffer_status" => {
                let mut flags = 7;
                sys::number(|size| sys::proxy_get_buffer_status(n(0), size, &mut flags))
            }
            "set_buffer" => {
                let (d, dn) = t(3);
                done(sys::proxy_set_buffer_bytes(n(0), n(1), n(2), d, dn))
            }
            "get_map_size" => sys::number(|to| sys::proxy_get_header_map_size(n(0), to)),
            "get_map" => pairs(sys::bytes(|p, size| sys::proxy_get_header_map_pairs(n(0), p, size))),
            "set_map" => {
                let pairs = rest(1);
                done(sys::proxy_set_header_map_pairs(n(0), pairs.as_ptr(), pairs.len()))
            }
            "set_map_bytes" => done(sys::proxy_set_header_map_pairs(n(0), b, bn)),
            "get_header" => sys::bytes(|p, size| sys::proxy_get_header_map_value(n(0), b, bn, p, size)),
            "add_header" => done(sys::proxy_add_header_map_value(n(0), b, bn, c, cn)),
            "replace_header" => done(sys::proxy_replace_header_map_value(n(0), b, bn, c, cn)),
            "remove_header" => done(sys::proxy_remove_header_map_value(n(0), b, bn)),
            "get_property" => sys::bytes(|p, size| sys::proxy_get_property(a, an, p, size)),
            "get_property_map" => pairs(sys::bytes(|p, size| sys::proxy_get_property(a, an, p, size))),
            "set_property" => done(sys::proxy_set_property(a, an, b, bn)),
            "get_shared" => {
                let (mut cas, mut p, mut size) = (0, std::ptr::null_mut(), 0);
                let status = sys::proxy_get_shared_data(a, an, &mut p, &mut size, &mut cas);
                (status, if status == 0 { Given::Both(sys::taken(p, size), cas.into()) } else { Given::Nothing })
            }
            "set_shared" => done(sys::proxy_set_shared_data(a, an, b, bn, n(2))),
            "register_queue" => sys::number(|to| sys::proxy_register_shared_queue(a, an, to)),
            "resolve_queue" => sys::number(|to| sys::proxy_resolve_shared_queue(a, an, b, bn, to)),
            "dequeue" => sys::bytes(|p, size| sys::proxy_dequeue_shared_queue(n(0), p, size)),
            "enqueue" => done(sys::proxy_enqueue_shared_queue(n(0), b, bn)),
            "continue_stream" => done(sys::proxy_continue_stream(n(0))),
            "close_stream" => done(sys::proxy_close_stream(n(0))),
            "reply" => {
                let ((d, dn), headers) = (t(3), rest(4));
                done(sys::proxy_send_local_response(
                    n(0),
                    b,
                    bn,
                    c,
                    cn,
                    headers.as_ptr(),
                    headers.len(),
                    String::from_utf8_lossy(std::slice::from_raw_parts(d, dn)).parse().unwrap_or(-1),
                ))
            }
            "http_call" => {
                // http_call cluster timeout body header=…
                let headers = rest(3);
                sys::number(|to| sys::proxy_http_call(a, an, headers.as_ptr(), headers.len(), c, cn, std::ptr::null(), 0, n(1), to))
            }
            "grpc_call" => {
                // grpc_call upstream service method timeout message metadata=…
                let ((e, en), metadata) = (t(4), rest(5));
                sys::number(|to| sys::proxy_grpc_call(a, an, b, bn, c, cn, metadata.as_ptr(), metadata.len(), e, en, n(3), to))
            }
            "grpc_stream" => {
                let metadata = rest(3);
                sys::number(|to| sys::proxy_grpc_stream(a, an, b, bn, c, cn, metadata.as_ptr(), metadata.len(), to))
            }
            "grpc_send" => done(sys::proxy_grpc_send(n(0), b, bn, n(2))),
            "grpc_cancel" => done(sys::proxy_grpc_cancel(n(0))),
            "grpc_close" => done(sys::proxy_grpc_close(n(0))),
            "get_status" => {
                let (mut code, mut p, mut size) = (0, std::ptr::null_mut(), 0);
                let status = sys::proxy_get_status(&mut code, &mut p, &mut size);
                let mut text = format!("{code} ").into_bytes();
                text.extend(sys::taken(p, size));
                (status, Given::Bytes(text))
            }
            "set_context" => done(sys::proxy_set_effective_context(n(0))),
            "done" => done(sys::proxy_done()),
            "foreign" => sys::bytes(|p, size| sys::proxy_call_foreign_function(a, an, b, bn, p, size)),
            "define_metric" => sys::number(|to| sys::proxy_define_metric(n(0), b, bn, to)),
            "get_metric" => sys::long(|to| sys::proxy_get_metric(n(0), to)),
            "record_metric" => done(sys::proxy_record_metric(n(0), number(words, 1) as u64)),
            "increment_metric" => done(sys::proxy_increment_metric(n(0), number(words, 1))),
            other => {
                log(&format!("there is no call {other}"));
                (99, Given::Nothing)
            }
        }
    }
}
