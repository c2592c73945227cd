mod traced;

use std::{
    collections::BTreeMap,
    fs,
    sync::{Mutex, PoisonError},
};

use inproxy::abi::{Host, LocalReply, Status};
use wasmi::{Caller, Config, Engine, Extern, Instance, Linker, Memory, Store, TypedFunc, Val};

use self::traced::Functions;
use super::{Callback, Trap, Vm};
use crate::{model::Calls, trace::Returned};

/// A module, translated once in a process.
#[derive(Clone)]
pub(crate) struct Module {
    engine: Engine,
    module: wasmi::Module,
}

/// The module in a wasm engine.
pub(crate) struct WasmVm {
    store: Store<Guest>,
    instance: Instance,
    /// What the module wrote to its standard error, as a panic does.
    dead: bool,
}

struct Guest {
    calls: Calls,
    said: String,
    environment: Vec<String>,
    /// Where host functions find the module's exports when others call them.
    instance: Option<Instance>,
}

/// What one callback may do before it counts as endless.
const FUEL: u64 = 2_000_000_000;

// === impl Module ===

impl Module {
    /// Builds the filter crate in a folder, and translates its module, once in a process.
    pub(crate) fn of(manifest_dir: &str) -> Self {
        static MODULES: Mutex<BTreeMap<String, Module>> = Mutex::new(BTreeMap::new());
        let mut modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(module) = modules.get(manifest_dir) {
            return module.clone();
        }
        let path = super::built(manifest_dir);
        let bytes = fs::read(&path).expect("the module that was just built");
        let mut config = Config::default();
        config.consume_fuel(true);
        let engine = Engine::new(&config);
        let module = wasmi::Module::new(&engine, &bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let module = Self { engine, module };
        modules.insert(manifest_dir.to_owned(), module.clone());
        module
    }
}

// === impl WasmVm ===

impl WasmVm {
    pub(crate) fn start(module: &Module, calls: Calls) -> Self {
        let environment = calls.variables();
        let traced = calls.traced();
        let mut store = Store::new(&module.engine, Guest { calls, said: String::new(), environment, instance: None });
        store.set_fuel(FUEL).expect("fuel is on");
        let mut functions = Functions { linker: Linker::new(&module.engine), store: &mut store, traced };
        define_host(&mut functions).and_then(|()| define_wasi(&mut functions)).expect("each function is defined once");
        let linker = functions.linker;
        // What can be defined once more was not defined.
        let mut probe = linker.clone();
        let mut absent = |import: &wasmi::ImportType<'_>| probe.func_wrap(import.module(), import.name(), || {}).is_ok();
        let missing: Vec<_> =
            module.module.imports().filter(|import| absent(import)).map(|import| format!("{}.{}", import.module(), import.name())).collect();
        assert!(missing.is_empty(), "the module imports what Envoy 1.40 does not have, or this host does not: {}", missing.join(", "));
        let instance =
            linker.instantiate_and_start(&mut store, &module.module).unwrap_or_else(|error| panic!("the module cannot be loaded: {error}"));
        store.data_mut().instance = Some(instance);
        Self { store, instance, dead: false }
    }
}

impl Vm for WasmVm {
    fn has(&self, callback: Callback) -> bool {
        self.instance.get_func(&self.store, callback.export().0).is_some()
    }

    fn memory(&self) -> u64 {
        self.instance.get_memory(&self.store, "memory").map_or(0, |memory| memory.size(&self.store) * PAGE)
    }

    fn call(&mut self, callback: Callback) -> Result<u32, Trap> {
        if self.dead {
            return Err(Trap("the VM is dead".to_owned()));
        }
        let (name, arguments) = callback.export();
        // A callback that the module lacks does nothing, and lets everything pass.
        let Some(function) = self.instance.get_func(&self.store, name) else {
            return Ok(u32::from(matches!(callback, Callback::VmStart { .. } | Callback::Configure { .. })));
        };
        self.store.data().calls.begin(true, name, arguments.iter().copied().map(u64::from).collect());
        let arguments: Vec<_> = arguments.into_iter().map(|argument| Val::I32(argument as i32)).collect();
        let mut results = vec![Val::I32(0); function.ty(&self.store).results().len()];
        self.store.set_fuel(FUEL).expect("fuel is on");
        let ended = function.call(&mut self.store, &arguments, &mut results);
        let left = self.store.get_fuel().unwrap_or(0);
        self.store.data().calls.spent(FUEL - left);
        match &ended {
            Ok(()) => self.store.data().calls.end(traced::returned(&results)),
            Err(_) => self.store.data().calls.trapped(),
        }
        match ended {
            Ok(()) => Ok(match results.first() {
                Some(Val::I32(result)) => *result as u32,
                _ => 0,
            }),
            Err(error) => {
                self.dead = true;
                Err(Trap(format!("{error}; {}", std::mem::take(&mut self.store.data_mut().said).trim())))
            }
        }
    }
}

/// A page of a module's memory.
const PAGE: u64 = 65_536;

type Guestly<'a> = Caller<'a, Guest>;

fn export(caller: &Guestly<'_>, name: &str) -> Option<Extern> {
    caller.get_export(name).or_else(|| caller.data().instance?.get_export(caller, name))
}

fn memory(caller: &Guestly<'_>) -> Result<Memory, wasmi::Error> {
    export(caller, "memory").and_then(Extern::into_memory).ok_or_else(|| wasmi::Error::new("the module exports no memory"))
}

fn read(caller: &Guestly<'_>, pointer: u32, size: u32) -> Result<Vec<u8>, wasmi::Error> {
    let mut bytes = vec![0; size as usize];
    memory(caller)?.read(caller, pointer as usize, &mut bytes).map_err(|_| wasmi::Error::new("a pointer outside of the memory"))?;
    Ok(bytes)
}

fn write(caller: &mut Guestly<'_>, pointer: u32, bytes: &[u8]) -> Result<(), wasmi::Error> {
    memory(caller)?.write(caller, pointer as usize, bytes).map_err(|_| wasmi::Error::new("a pointer outside of the memory"))
}

fn put(caller: &mut Guestly<'_>, pointer: u32, value: u32) -> Result<(), wasmi::Error> {
    write(caller, pointer, &value.to_le_bytes())
}

/// Hands bytes to the guest in memory that it allocates itself, as a proxy does.
fn give(caller: &mut Guestly<'_>, result: Result<Vec<u8>, Status>, data: u32, size: u32) -> Result<u32, wasmi::Error> {
    let bytes = match result {
        Ok(bytes) => bytes,
        Err(status) => return Ok(status.as_raw()),
    };
    let pointer = if bytes.is_empty() {
        0
    } else {
        let allocate = export(caller, "proxy_on_memory_allocate").or_else(|| export(caller, "malloc")).and_then(Extern::into_func);
        let allocate: TypedFunc<u32, u32> = allocate.ok_or_else(|| wasmi::Error::new("missing malloc function"))?.typed(&caller)?;
        let pointer = allocate.call(&mut *caller, bytes.len() as u32)?;
        write(caller, pointer, &bytes)?;
        caller.data().calls.gave(bytes.len());
        pointer
    };
    put(caller, data, pointer)?;
    put(caller, size, bytes.len() as u32)?;
    Ok(Status::OK.as_raw())
}

fn put_or(caller: &mut Guestly<'_>, result: Result<u32, Status>, pointer: u32) -> Result<u32, wasmi::Error> {
    match result {
        Ok(value) => put(caller, pointer, value).map(|()| 0),
        Err(status) => Ok(status.as_raw()),
    }
}

fn put_long(caller: &mut Guestly<'_>, result: Result<u64, Status>, pointer: u32) -> Result<u32, wasmi::Error> {
    match result {
        Ok(value) => write(caller, pointer, &value.to_le_bytes()).map(|()| 0),
        Err(status) => Ok(status.as_raw()),
    }
}

type Answer = Result<u32, wasmi::Error>;

/// The 37 functions of the ABI.
fn define_host(linker: &mut Functions<'_>) -> Result<(), wasmi::errors::LinkerError> {
    linker.func_wrap("env", "proxy_log", |c: Guestly<'_>, level: u32, p: u32, n: u32| -> Answer {
        let message = read(&c, p, n)?;
        Ok(c.data().calls.log(level, &message).as_raw())
    })?;
    linker.func_wrap("env", "proxy_get_log_level", |mut c: Guestly<'_>, to: u32| -> Answer {
        let level = c.data().calls.log_level();
        put_or(&mut c, level, to)
    })?;
    linker.func_wrap("env", "proxy_get_current_time_nanoseconds", |mut c: Guestly<'_>, to: u32| -> Answer {
        let time = c.data().calls.current_time();
        put_long(&mut c, time, to)
    })?;
    linker.func_wrap("env", "proxy_set_tick_period_milliseconds", |c: Guestly<'_>, period: u32| -> Answer {
        Ok(c.data().calls.set_tick_period(period).as_raw())
    })?;
    linker.func_wrap("env", "proxy_get_buffer_bytes", |mut c: Guestly<'_>, buffer: u32, start: u32, max: u32, data: u32, size: u32| -> Answer {
        let bytes = c.data().calls.buffer(buffer, start as usize, max as usize);
        give(&mut c, bytes, data, size)
    })?;
    linker.func_wrap("env", "proxy_set_buffer_bytes", |c: Guestly<'_>, buffer: u32, start: u32, size: u32, p: u32, n: u32| -> Answer {
        let bytes = read(&c, p, n)?;
        Ok(c.data().calls.set_buffer(buffer, start as usize, size as usize, &bytes).as_raw())
    })?;
    linker.func_wrap("env", "proxy_get_header_map_pairs", |mut c: Guestly<'_>, map: u32, data: u32, size: u32| -> Answer {
        let pairs = c.data().calls.header_pairs(map);
        give(&mut c, pairs, data, size)
    })?;
    linker.func_wrap("env", "proxy_set_header_map_pairs", |c: Guestly<'_>, map: u32, p: u32, n: u32| -> Answer {
        let pairs = read(&c, p, n)?;
        Ok(c.data().calls.set_header_pairs(map, &pairs).as_raw())
    })?;
    linker.func_wrap("env", "proxy_get_header_map_value", |mut c: Guestly<'_>, map: u32, p: u32, n: u32, data: u32, size: u32| -> Answer {
        let name = read(&c, p, n)?;
        let value = c.data().calls.header(map, &name);
        give(&mut c, value, data, size)
    })?;
    linker.func_wrap("env", "proxy_remove_header_map_value", |c: Guestly<'_>, map: u32, p: u32, n: u32| -> Answer {
        let name = read(&c, p, n)?;
        Ok(c.data().calls.remove_header(map, &name).as_raw())
    })?;
    linker.func_wrap("env", "proxy_replace_header_map_value", |c: Guestly<'_>, map: u32, p: u32, n: u32, vp: u32, vn: u32| -> Answer {
        let (name, value) = (read(&c, p, n)?, read(&c, vp, vn)?);
        Ok(c.data().calls.replace_header(map, &name, &value).as_raw())
    })?;
    linker.func_wrap("env", "proxy_add_header_map_value", |c: Guestly<'_>, map: u32, p: u32, n: u32, vp: u32, vn: u32| -> Answer {
        let (name, value) = (read(&c, p, n)?, read(&c, vp, vn)?);
        Ok(c.data().calls.add_header(map, &name, &value).as_raw())
    })?;
    linker.func_wrap("env", "proxy_get_property", |mut c: Guestly<'_>, p: u32, n: u32, data: u32, size: u32| -> Answer {
        let path = read(&c, p, n)?;
        let value = c.data().calls.property(&path);
        give(&mut c, value, data, size)
    })?;
    linker
        .func_wrap("env", "proxy_continue_stream", |c: Guestly<'_>, stream: u32| -> Answer { Ok(c.data().calls.continue_stream(stream).as_raw()) })?;
    linker.func_wrap("env", "proxy_close_stream", |c: Guestly<'_>, stream: u32| -> Answer { Ok(c.data().calls.close_stream(stream).as_raw()) })?;
    linker.func_wrap(
        "env",
        "proxy_send_local_response",
        |c: Guestly<'_>, status: u32, dp: u32, dn: u32, bp: u32, bn: u32, hp: u32, hn: u32, grpc_status: i32| -> Answer {
            let (details, body, headers) = (read(&c, dp, dn)?, read(&c, bp, bn)?, read(&c, hp, hn)?);
            let reply = LocalReply { status, details: &details, body: &body, headers: &headers, grpc_status };
            Ok(c.data().calls.send_local_response(reply).as_raw())
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_http_call",
        |mut c: Guestly<'_>, up: u32, un: u32, hp: u32, hn: u32, bp: u32, bn: u32, tp: u32, tn: u32, timeout: u32, token: u32| -> Answer {
            let (upstream, headers, body, trailers) = (read(&c, up, un)?, read(&c, hp, hn)?, read(&c, bp, bn)?, read(&c, tp, tn)?);
            let sent = c.data().calls.http_call(&upstream, &headers, &body, &trailers, timeout);
            put_or(&mut c, sent, token)
        },
    )?;
    linker.func_wrap("env", "proxy_set_effective_context", |c: Guestly<'_>, context: u32| -> Answer {
        Ok(c.data().calls.set_effective_context(context).as_raw())
    })?;
    linker.func_wrap("env", "proxy_define_metric", |mut c: Guestly<'_>, kind: u32, p: u32, n: u32, id: u32| -> Answer {
        let name = read(&c, p, n)?;
        let metric = c.data().calls.define_metric(kind, &name);
        put_or(&mut c, metric, id)
    })?;
    linker.func_wrap("env", "proxy_get_metric", |mut c: Guestly<'_>, id: u32, to: u32| -> Answer {
        let value = c.data().calls.metric(id);
        put_long(&mut c, value, to)
    })?;
    linker.func_wrap("env", "proxy_record_metric", |c: Guestly<'_>, id: u32, value: u64| -> Answer {
        Ok(c.data().calls.record_metric(id, value).as_raw())
    })?;
    linker.func_wrap("env", "proxy_increment_metric", |c: Guestly<'_>, id: u32, offset: i64| -> Answer {
        Ok(c.data().calls.increment_metric(id, offset).as_raw())
    })?;
    define_shared(linker)?;
    define_grpc(linker)
}

/// What VMs share, and what the rest of the ABI offers.
fn define_shared(linker: &mut Functions<'_>) -> Result<(), wasmi::errors::LinkerError> {
    linker.func_wrap("env", "proxy_get_header_map_size", |mut c: Guestly<'_>, map: u32, to: u32| -> Answer {
        let size = c.data().calls.header_map_size(map);
        put_or(&mut c, size, to)
    })?;
    linker.func_wrap("env", "proxy_get_buffer_status", |mut c: Guestly<'_>, buffer: u32, size: u32, flags: u32| -> Answer {
        let found = c.data().calls.buffer_size(buffer);
        if found.is_ok() {
            put(&mut c, flags, 0)?;
        }
        put_or(&mut c, found, size)
    })?;
    linker.func_wrap("env", "proxy_set_property", |c: Guestly<'_>, p: u32, n: u32, vp: u32, vn: u32| -> Answer {
        let (path, value) = (read(&c, p, n)?, read(&c, vp, vn)?);
        Ok(c.data().calls.set_property(&path, &value).as_raw())
    })?;
    linker.func_wrap("env", "proxy_get_shared_data", |mut c: Guestly<'_>, p: u32, n: u32, data: u32, size: u32, cas: u32| -> Answer {
        let key = read(&c, p, n)?;
        let (value, changed) = match c.data().calls.shared_data(&key) {
            Ok((value, changed)) => (Ok(value), changed),
            Err(status) => return Ok(status.as_raw()),
        };
        put(&mut c, cas, changed)?;
        give(&mut c, value, data, size)
    })?;
    linker.func_wrap("env", "proxy_set_shared_data", |c: Guestly<'_>, p: u32, n: u32, vp: u32, vn: u32, cas: u32| -> Answer {
        let (key, value) = (read(&c, p, n)?, read(&c, vp, vn)?);
        Ok(c.data().calls.set_shared_data(&key, &value, cas).as_raw())
    })?;
    linker.func_wrap("env", "proxy_register_shared_queue", |mut c: Guestly<'_>, p: u32, n: u32, id: u32| -> Answer {
        let name = read(&c, p, n)?;
        let queue = c.data().calls.register_queue(&name);
        put_or(&mut c, queue, id)
    })?;
    linker.func_wrap("env", "proxy_resolve_shared_queue", |mut c: Guestly<'_>, vp: u32, vn: u32, p: u32, n: u32, id: u32| -> Answer {
        let (vm_id, name) = (read(&c, vp, vn)?, read(&c, p, n)?);
        let queue = c.data().calls.resolve_queue(&vm_id, &name);
        put_or(&mut c, queue, id)
    })?;
    linker.func_wrap("env", "proxy_dequeue_shared_queue", |mut c: Guestly<'_>, queue: u32, data: u32, size: u32| -> Answer {
        let message = c.data().calls.dequeue(queue);
        give(&mut c, message, data, size)
    })?;
    linker.func_wrap("env", "proxy_enqueue_shared_queue", |c: Guestly<'_>, queue: u32, p: u32, n: u32| -> Answer {
        let message = read(&c, p, n)?;
        Ok(c.data().calls.enqueue(queue, &message).as_raw())
    })?;
    linker.func_wrap("env", "proxy_done", |c: Guestly<'_>| -> Answer { Ok(c.data().calls.done().as_raw()) })?;
    linker.func_wrap(
        "env",
        "proxy_call_foreign_function",
        |mut c: Guestly<'_>, fp: u32, fn_: u32, p: u32, n: u32, data: u32, size: u32| -> Answer {
            let (name, argument) = (read(&c, fp, fn_)?, read(&c, p, n)?);
            let result = c.data().calls.foreign_function(&name, &argument);
            // Who does not want the result says so by a null pointer.
            if data == 0 { Ok(result.err().unwrap_or(Status::OK).as_raw()) } else { give(&mut c, result, data, size) }
        },
    )?;
    Ok(())
}

/// gRPC.
fn define_grpc(linker: &mut Functions<'_>) -> Result<(), wasmi::errors::LinkerError> {
    linker.func_wrap(
        "env",
        "proxy_grpc_call",
        |mut c: Guestly<'_>,
         up: u32,
         un: u32,
         sp: u32,
         sn: u32,
         mp: u32,
         mn: u32,
         hp: u32,
         hn: u32,
         bp: u32,
         bn: u32,
         timeout: u32,
         token: u32|
         -> Answer {
            let (upstream, service, method) = (read(&c, up, un)?, read(&c, sp, sn)?, read(&c, mp, mn)?);
            let (metadata, message) = (read(&c, hp, hn)?, read(&c, bp, bn)?);
            let sent = c.data().calls.grpc_call(&upstream, &service, &method, &metadata, &message, timeout);
            put_or(&mut c, sent, token)
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_grpc_stream",
        |mut c: Guestly<'_>, up: u32, un: u32, sp: u32, sn: u32, mp: u32, mn: u32, hp: u32, hn: u32, token: u32| -> Answer {
            let (upstream, service, method, metadata) = (read(&c, up, un)?, read(&c, sp, sn)?, read(&c, mp, mn)?, read(&c, hp, hn)?);
            let opened = c.data().calls.grpc_stream(&upstream, &service, &method, &metadata);
            for callback in c.data().calls.within_failed_stream() {
                let (name, arguments) = callback.export();
                if let Some(function) = export(&c, name).and_then(Extern::into_func) {
                    c.data().calls.begin(true, name, arguments.iter().copied().map(u64::from).collect());
                    let arguments: Vec<_> = arguments.into_iter().map(|argument| Val::I32(argument as i32)).collect();
                    function.call(&mut c, &arguments, &mut [])?;
                    c.data().calls.end(Returned::Nothing);
                }
            }
            put_or(&mut c, opened, token)
        },
    )?;
    linker.func_wrap("env", "proxy_grpc_send", |c: Guestly<'_>, token: u32, p: u32, n: u32, end: u32| -> Answer {
        let message = read(&c, p, n)?;
        Ok(c.data().calls.grpc_send(token, &message, end != 0).as_raw())
    })?;
    linker.func_wrap("env", "proxy_grpc_cancel", |c: Guestly<'_>, token: u32| -> Answer { Ok(c.data().calls.grpc_cancel(token).as_raw()) })?;
    linker.func_wrap("env", "proxy_grpc_close", |c: Guestly<'_>, token: u32| -> Answer { Ok(c.data().calls.grpc_close(token).as_raw()) })?;
    linker.func_wrap("env", "proxy_get_status", |mut c: Guestly<'_>, code: u32, data: u32, size: u32| -> Answer {
        let (number, text) = match c.data().calls.call_status() {
            Ok(status) => status,
            Err(status) => return Ok(status.as_raw()),
        };
        put(&mut c, code, number)?;
        give(&mut c, Ok(text), data, size)
    })?;
    Ok(())
}

/// WASI as far as Rust's standard library asks for it.
fn define_wasi(linker: &mut Functions<'_>) -> Result<(), wasmi::errors::LinkerError> {
    const WASI: &str = "wasi_snapshot_preview1";
    linker.func_wrap(WASI, "fd_write", |mut c: Guestly<'_>, _fd: u32, vectors: u32, count: u32, written: u32| -> Answer {
        let mut total = 0;
        for at in 0..count {
            let vector = read(&c, vectors + at * 8, 8)?;
            let word = |at: usize| u32::from_le_bytes([vector[at], vector[at + 1], vector[at + 2], vector[at + 3]]);
            let text = read(&c, word(0), word(4))?;
            total += text.len() as u32;
            let text = String::from_utf8_lossy(&text).into_owned();
            c.data_mut().said.push_str(&text);
        }
        put(&mut c, written, total).map(|()| 0)
    })?;
    linker.func_wrap(WASI, "environ_sizes_get", |mut c: Guestly<'_>, count: u32, size: u32| -> Answer {
        let (variables, bytes) = (c.data().environment.len(), c.data().environment.iter().map(|variable| variable.len() + 1).sum::<usize>());
        put(&mut c, count, variables as u32)?;
        put(&mut c, size, bytes as u32).map(|()| 0)
    })?;
    linker.func_wrap(WASI, "environ_get", |mut c: Guestly<'_>, pointers: u32, text: u32| -> Answer {
        let mut at = text;
        for (index, variable) in c.data().environment.clone().into_iter().enumerate() {
            put(&mut c, pointers + 4 * index as u32, at)?;
            let bytes = [variable.as_bytes(), b"\0"].concat();
            write(&mut c, at, &bytes)?;
            at += bytes.len() as u32;
        }
        Ok(0)
    })?;
    linker.func_wrap(WASI, "proc_exit", |_: u32| -> Result<(), wasmi::Error> { Err(wasmi::Error::new("the module exited")) })?;
    linker.func_wrap(WASI, "random_get", |mut c: Guestly<'_>, pointer: u32, size: u32| -> Answer {
        let mut bytes = vec![0; size as usize];
        c.data().calls.random(&mut bytes);
        write(&mut c, pointer, &bytes).map(|()| 0)
    })?;
    linker.func_wrap(WASI, "clock_time_get", |mut c: Guestly<'_>, clock: u32, _precision: u64, to: u32| -> Answer {
        /// The number of the clock that only goes forward.
        const MONOTONIC: u32 = 1;
        let time = if clock == MONOTONIC { Ok(c.data().calls.monotonic_clock()) } else { c.data().calls.current_time() };
        put_long(&mut c, time, to)
    })?;
    linker.func_wrap(WASI, "sched_yield", || -> u32 { 0 })?;
    Ok(())
}
