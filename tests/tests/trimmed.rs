//! Nothing gets past held headers, whatever was taken out of the module: trimmed or not, in both header modes, with and without body and trailers.

#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "test code")]
#![allow(missing_docs, reason = "test code")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use inproxy::__private::Registered;
use inproxy_test::{HostKind, Proxy, Request, Response, TcpServer, json};

/// Modules of `tests/trimmed`: as they are trimmed, and as they were built.
macro_rules! modules {
    ($($name:ident, $module:literal $(, $kind:ident)?;)*) => {
        $(inproxy_tests::module_type!($name, "x", concat!(env!("CARGO_MANIFEST_DIR"), "/trimmed#", $module) $(, $kind)?);)*
    };
}

modules! {
    HoldRequest, "hold_request";
    HoldRequestUntrimmed, "hold_request@untrimmed";
    HoldResponse, "hold_response";
    HoldResponseUntrimmed, "hold_response@untrimmed";
    HoldForOthers, "hold_for_others";
    HoldForOthersDeclared, "hold_for_others_declared";
    PauseUndeclared, "pause_undeclared";
    PauseUndeclaredUntrimmed, "pause_undeclared@untrimmed";
    Tell, "access_logger", AccessLogger;
    Ask, "service", Service;
}

macro_rules! network_modules {
    ($($name:ident, $module:literal;)*) => {
        $(inproxy_tests::module_type!($name, "x", concat!(env!("CARGO_MANIFEST_DIR"), "/trimmed#", $module), Network);)*
    };
}

network_modules! {
    HoldConnection, "hold_connection";
    HoldConnectionUntrimmed, "hold_connection@untrimmed";
    HoldData, "hold_data";
    HoldDataUntrimmed, "hold_data@untrimmed";
}

/// What follows the headers.
const SHAPES: [(bool, bool); 4] = [(false, false), (true, false), (false, true), (true, true)];

fn shaped<M>(message: M, (body, trailers): (bool, bool), with_body: fn(M, &'static str) -> M, with_trailer: fn(M) -> M) -> M {
    let message = if body { with_body(message, "secret") } else { message };
    if trailers { with_trailer(message) } else { message }
}

fn request(shape: (bool, bool)) -> Request {
    shaped(if shape == (false, false) { Request::get("/") } else { Request::post("/") }, shape, Request::with_body, |request| {
        request.with_trailer("x-t", "1")
    })
}

fn response(shape: (bool, bool)) -> Response {
    shaped(Response::new(200).with_header("x-secret", "yes"), shape, Response::with_body, |response| response.with_trailer("x-t", "1"))
}

/// A request is refused after a while: the upstream must never have seen any of it.
async fn refuses_requests<F: Registered>(host: HostKind, name: &'static str) {
    for hold in [false, true] {
        for shape in SHAPES {
            let asked = Arc::new(AtomicBool::new(false));
            let seen = Arc::clone(&asked);
            let proxy = Proxy::<F>::on(host, name).configure(json!({ "authority": "authority" })).upstream(move |_| {
                seen.store(true, Ordering::Relaxed);
                Response::new(200)
            });
            let proxy = proxy.cluster("authority", |_| Response::new(401).after(Duration::from_millis(40)));
            let proxy = if hold { proxy.hold_headers() } else { proxy }.start().await;
            let response = proxy.send(request(shape)).await;
            assert_eq!(response.status(), 403, "{} held: {hold}, body and trailers: {shape:?}", F::MANIFEST_DIR);
            proxy.advance(Duration::from_millis(20)).await;
            assert!(!asked.load(Ordering::Relaxed), "the upstream was asked: {} held: {hold}, body and trailers: {shape:?}", F::MANIFEST_DIR);
        }
    }
}

/// A response is refused after a while: the client must see nothing of it.
async fn refuses_responses<F: Registered>(host: HostKind, name: &'static str) {
    for hold in [false, true] {
        for shape in SHAPES {
            let proxy = Proxy::<F>::on(host, name).configure(json!({ "authority": "authority" })).upstream(move |_| response(shape));
            let proxy = proxy.cluster("authority", |_| Response::new(401).after(Duration::from_millis(40)));
            let proxy = if hold { proxy.hold_headers() } else { proxy }.start().await;
            let response = proxy.send(Request::get("/")).await;
            let shown = (response.status(), response.header("x-secret"), response.text());
            assert_eq!(shown, (403, None, ""), "{} held: {hold}, body and trailers: {shape:?}", F::MANIFEST_DIR);
        }
    }
}

/// A filter that may not hold fails: nothing of what it tried to hold is shown.
async fn fails<F: Registered>(host: HostKind, name: &'static str) {
    for hold in [false, true] {
        for shape in SHAPES {
            let proxy = Proxy::<F>::on(host, name).configure(json!({})).upstream(move |_| response(shape));
            let proxy = if hold { proxy.hold_headers() } else { proxy }.start().await;
            let response = proxy.send(request(shape)).await;
            let shown = (response.status(), response.header("x-secret"), response.text());
            assert_eq!(shown, (500, None, ""), "{} held: {hold}, body and trailers: {shape:?}", F::MANIFEST_DIR);
        }
    }
}

#[inproxy_test::test(only(wasm, envoy), because = "only a module can be trimmed")]
async fn a_held_request_stays_held(proxy: Proxy<HoldRequest>) {
    let (host, name) = proxy.host();
    refuses_requests::<HoldRequest>(host, name).await;
    refuses_requests::<HoldRequestUntrimmed>(host, name).await;
}

#[inproxy_test::test(only(wasm, envoy), because = "only a module can be trimmed")]
async fn a_held_response_stays_held(proxy: Proxy<HoldResponse>) {
    let (host, name) = proxy.host();
    refuses_responses::<HoldResponse>(host, name).await;
    refuses_responses::<HoldResponseUntrimmed>(host, name).await;
}

#[inproxy_test::test(only(wasm, envoy), because = "only a module can be trimmed")]
async fn a_response_that_is_held_for_something_unknown_is_not_shown(proxy: Proxy<HoldForOthers>) {
    let (host, name) = proxy.host();
    fails::<HoldForOthers>(host, name).await;
}

#[inproxy_test::test(only(wasm, envoy), because = "only a module can be trimmed")]
async fn a_filter_that_says_that_it_waits_may_hold(proxy: Proxy<HoldForOthersDeclared>) {
    let (host, name) = proxy.host();
    for hold in [false, true] {
        for shape in SHAPES {
            let proxy = Proxy::<HoldForOthersDeclared>::on(host, name).configure(json!({})).upstream(move |_| response(shape));
            let proxy = if hold { proxy.hold_headers() } else { proxy }.start().await;
            let exchange = proxy.open(&Request::get("/")).await;
            proxy.advance(Duration::from_millis(40)).await;
            exchange.leave().await;
            // It was not sent while the client waited.
            let [access] = &proxy.access_log().await[..] else { panic!("one request") };
            assert_eq!(access.details, "downstream_remote_disconnect", "held: {hold}, body and trailers: {shape:?}");
        }
    }
}

#[inproxy_test::test(only(wasm, envoy), because = "only a module can be trimmed")]
async fn callbacks_that_pause_headers_need_those_of_the_body(proxy: Proxy<PauseUndeclared>) {
    let (host, name) = proxy.host();
    fails::<PauseUndeclared>(host, name).await;
    fails::<PauseUndeclaredUntrimmed>(host, name).await;
}

#[inproxy_test::test(only(wasm, envoy), because = "only a module can be trimmed")]
async fn an_access_logger_keeps_what_it_needs(proxy: Proxy<Tell>) {
    let proxy = proxy.start().await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 200);
    proxy.expect_log("over: Some(\"200\")").await;
}

#[inproxy_test::test(only(wasm, envoy), because = "only a module can be trimmed")]
async fn a_service_keeps_what_it_needs(proxy: Proxy<Ask>) {
    let proxy = proxy.configure(json!({ "authority": "authority" })).cluster("authority", |_| Response::new(200)).start().await;
    proxy.advance(Duration::from_secs(2)).await;
    proxy.expect_log("the authority says 200").await;
}

/// A connection is refused after a while, or allowed: of a refused one the upstream hears nothing.
async fn holds_connections<F: Registered>(host: HostKind, name: &'static str) {
    for (status, seen) in [(401, false), (200, true)] {
        let proxy = Proxy::<F>::on(host, name).configure(json!({ "authority": "authority" }));
        let proxy = proxy.cluster("authority", move |_| Response::new(status).after(Duration::from_millis(40))).start().await;
        let mut client = proxy.connect().await;
        client.send("secret").await;
        client.finish().await;
        assert_eq!(client.read_to_end().await, if seen { &b"secret"[..] } else { b"" }, "{}", F::MANIFEST_DIR);
        assert_eq!(!proxy.tcp_seen().is_empty(), seen, "{}", F::MANIFEST_DIR);
    }
}

/// A connection is refused by what the server says, while the client has sent something already.
async fn holds_data<F: Registered>(host: HostKind, name: &'static str) {
    for (greeting, seen, ended) in [("", "", false), ("shut", "", true), ("open", "secret", false)] {
        let server = TcpServer::answering(|_| Vec::new()).greeting(greeting);
        let proxy = Proxy::<F>::on(host, name).tcp_upstream(server).start().await;
        let mut client = proxy.connect().await;
        client.send("secret").await;
        proxy.advance(Duration::from_millis(60)).await;
        proxy.expect_tcp_seen(seen, ended).await;
    }
}

#[inproxy_test::test(only(wasm, envoy), because = "only a module can be trimmed")]
async fn a_held_connection_stays_held(proxy: Proxy<HoldConnection>) {
    let (host, name) = proxy.host();
    holds_connections::<HoldConnection>(host, name).await;
    holds_connections::<HoldConnectionUntrimmed>(host, name).await;
}

#[inproxy_test::test(only(wasm, envoy), because = "only a module can be trimmed")]
async fn held_data_stays_held(proxy: Proxy<HoldData>) {
    let (host, name) = proxy.host();
    holds_data::<HoldData>(host, name).await;
    holds_data::<HoldDataUntrimmed>(host, name).await;
}

#[inproxy_test::test(only(wasm), because = "costs are counted")]
async fn a_filter_that_reads_nothing_is_not_called_for_data(proxy: Proxy<HoldConnection>) {
    let proxy = proxy.configure(json!({ "authority": "authority" })).cluster("authority", |_| Response::new(200)).start().await;
    let mut client = proxy.connect().await;
    client.send("one").await;
    client.expect("one").await;
    let before = proxy.costs().expect("the model counts");
    client.send("two").await;
    client.expect("two").await;
    assert_eq!(proxy.costs().expect("the model counts").since(&before).vm_entries, 0);
}
