//! Modules that do harm before a request has come, or that Envoy does not take.

use inproxy_envoy::{Envoy, StartError};
use inproxy_tests::{Connection, Proxy, Server, module, throw_away};
use walrus::{
    FunctionBuilder, InstrSeqBuilder, Module, ValType,
    ir::{MemArg, StoreKind, Value},
};

use super::{DEATH, SIGTRAP};
use crate::get;

/// Opens the probe's module, changed.
async fn opened(upstream: &Server, script: &str, change: impl FnOnce(&mut Module)) -> (Envoy, Result<std::net::SocketAddr, StartError>) {
    let mut changed = Module::from_file(module("tests/probe")).unwrap();
    change(&mut changed);
    let envoy = throw_away().await;
    let path = envoy.dir().join("changed.wasm");
    changed.emit_wasm_file(&path).unwrap();
    let opened = Proxy::before(upstream).probe_of(path, script).open_in(&envoy).await;
    (envoy, opened)
}

/// Exports a function under this name, in the place of another that may be there.
fn export(module: &mut Module, name: &str, parameters: &[ValType], results: &[ValType], body: impl FnOnce(&mut InstrSeqBuilder<'_>)) {
    let parameters: Vec<_> = parameters.iter().map(|of| module.locals.add(*of)).collect();
    let types: Vec<_> = parameters.iter().map(|local| module.locals.get(*local).ty()).collect();
    let mut builder = FunctionBuilder::new(&mut module.types, &types, results);
    body(&mut builder.func_body());
    let function = builder.finish(parameters, &mut module.funcs);
    let _ = module.exports.remove(name);
    module.exports.add(name, function);
}

/// Calls `proxy_set_tick_period_milliseconds`.
fn call_the_host(module: &Module) -> impl FnOnce(&mut InstrSeqBuilder<'_>) + use<> {
    let function = module.imports.get_func("env", "proxy_set_tick_period_milliseconds").unwrap();
    move |body| {
        body.const_(Value::I32(1000)).call(function).drop();
    }
}

#[tokio::test]
async fn an_exported_function_of_vectors_kills_envoy() {
    let (envoy, opened) = opened(&Server::saying("hello").await, "", |module| export(module, "vectors", &[ValType::V128], &[], |_| {})).await;
    assert!(opened.is_err(), "{opened:?}");
    assert_eq!(envoy.died_of(DEATH).await, Some(SIGTRAP), "{}", envoy.log());
}

#[tokio::test]
async fn a_host_call_while_the_module_is_initialized_refuses_it() {
    let (envoy, opened) = opened(&Server::saying("hello").await, "", |module| {
        let call = call_the_host(module);
        export(module, "_initialize", &[], &[], call);
    })
    .await;
    assert!(matches!(opened, Err(StartError::Refused { .. })), "{opened:?}");
    assert!(envoy.log().contains("restricted_callback"), "{}", envoy.log());
}

#[tokio::test]
async fn an_import_that_envoy_does_not_have_refuses_the_module() {
    let (envoy, opened) = opened(&Server::saying("hello").await, "", |module| {
        let ty = module.types.add(&[], &[]);
        let (function, _) = module.add_import_func("env", "proxy_does_not_exist", ty);
        module.exports.add("uses_it", function);
    })
    .await;
    assert!(matches!(opened, Err(StartError::Refused { .. })), "{opened:?}");
    assert!(envoy.log().contains("env.proxy_does_not_exist"), "{}", envoy.log());
}

#[tokio::test]
async fn a_module_without_an_abi_version_is_refused() {
    let (envoy, opened) = opened(&Server::saying("hello").await, "", |module| module.exports.remove("proxy_abi_version_0_2_1").unwrap()).await;
    assert!(matches!(opened, Err(StartError::Refused { .. })), "{opened:?}");
    assert!(envoy.log().contains("Missing or unknown Proxy-Wasm ABI version"), "{}", envoy.log());
}

#[tokio::test]
async fn a_host_call_while_memory_is_allocated_ends_the_vm() {
    let upstream = Server::saying("hello").await;
    let (envoy, opened) = opened(&upstream, "request_headers: get_header 0 :path", |module| {
        let call = call_the_host(module);
        export(module, "proxy_on_memory_allocate", &[ValType::I32], &[ValType::I32], |body| {
            call(body);
            body.const_(Value::I32(1024));
        });
    })
    .await;
    assert_eq!(Connection::exchange(opened.unwrap(), get("/", "")).await.status(), 503);
    assert!(envoy.log().contains("restricted_callback"), "{}", envoy.log());
}

#[tokio::test]
async fn a_sleep_returns_at_once() {
    const SUBSCRIPTION: i32 = 1024;
    let upstream = Server::saying("hello").await;
    let (_envoy, opened) = opened(&upstream, "", |module| {
        let ty = module.types.add(&[ValType::I32; 4], &[ValType::I32]);
        let (sleep, _) = module.add_import_func("wasi_snapshot_preview1", "poll_oneoff", ty);
        let memory = module.memories.iter().next().unwrap().id();
        export(module, "proxy_on_request_headers", &[ValType::I32; 3], &[ValType::I32], |body| {
            // A time of a minute on the clock, by its place in the subscription.
            body.i32_const(SUBSCRIPTION).i64_const(60_000_000_000).store(memory, StoreKind::I64 { atomic: false }, MemArg { align: 8, offset: 24 });
            body.i32_const(SUBSCRIPTION).i32_const(SUBSCRIPTION + 64).i32_const(1).i32_const(SUBSCRIPTION + 128).call(sleep);
        });
    })
    .await;
    // It returns what the call did: success, which is "go on".
    assert_eq!(Connection::exchange(opened.unwrap(), get("/", "")).await.status(), 200);
}
