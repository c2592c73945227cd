use std::time::Duration;

use filters::expressions::{ByPhase, CountedBy, Denies, Expressions, Logged, Renewed};
use inproxy::abi::Status;
use inproxy_test::{Proxy, Request, Response, Running, json};

async fn start(proxy: Proxy<Expressions>, expression: &str) -> Running {
    let proxy = proxy.configure(json!({ "expression": expression, "side": "side" })).cluster("side", |_| Response::new(200));
    proxy.upstream(|_| Response::new(201)).start().await
}

#[inproxy_test::test]
async fn a_value_is_read_as_what_it_can_be(proxy: Proxy<Expressions>) {
    let (host, name) = proxy.host();
    for (expression, expected) in [
        ("request.path.startsWith('/a')", "1 bytes: bool true, text \\u{1}"),
        ("request.method", "4 bytes: text POST"),
        ("request.headers['x-a'] + '!'", "4 bytes: text 1,2!"),
        ("size(request.path) - 10", "8 bytes: int -8, uint 18446744073709551608, double NaN, time 0ns"),
        ("string(size(request.path))", "1 bytes: text 2"),
        ("string(1.5)", "3 bytes: text 1.5"),
        ("string(\nrequest.method\n)", "4 bytes: text POST"),
        ("b'\\xff'", "1 bytes:"),
        ("[1, 2].map(x, x * 2)", "2 4"),
        ("request.headers['x-none']", "failed"),
        ("response.code", "failed"),
        ("null", "no value"),
        ("request", "no value"),
    ] {
        let proxy = start(Proxy::on(host, name), expression).await;
        let request = Request::post("/a").with_header("x-a", "1").with_header("x-a", "2");
        let response = proxy.send(request).await;
        assert_eq!(response.header("x-request").map(str::trim_end), Some(expected), "{expression}");
    }
}

#[inproxy_test::test(only(envoy), because = "the model's expressions know no times")]
async fn times_are_read_too(proxy: Proxy<Expressions>) {
    let (host, name) = proxy.host();
    for (expression, expected) in [
        ("duration('1500ms')", "duration 1.5s"),
        ("string(duration('1500ms'))", "text 1.500s"),
        ("string(true)", "text true"),
        ("timestamp('2020-01-01T00:00:00Z')", "time 1577836800s"),
    ] {
        let response = start(Proxy::on(host, name), expression).await.send(Request::get("/")).await;
        let told = response.header("x-request").unwrap();
        assert!(told.contains(expected), "{told}");
    }
}

/// In the answer of a call-out, and in a tick, the proxy would evaluate for the plugin: `tests/model/foreign.rs` shows what it then says.
#[inproxy_test::test]
async fn an_expression_is_refused_where_the_proxy_would_evaluate_it_for_another(proxy: Proxy<Expressions>) {
    let proxy = start(proxy, "plugin_name").await;
    let value = "11 bytes: text expressions";
    for (waits, after) in
        [("", value), ("timer", "not in its own callback"), ("call", "not in its own callback"), ("join", "not in its own callback")]
    {
        let response = proxy.send(Request::get("/").with_header("x-wait", waits)).await;
        let told = |name: &str| response.header(name).map(str::to_owned);
        assert_eq!(told("x-request").as_deref(), Some(value), "{waits}");
        assert_eq!(told("x-waited").as_deref(), Some(after), "{waits}");
        assert_eq!(told("x-response").as_deref(), Some(value), "the response came in a callback of the stream: {waits}");
        assert_eq!(told("x-response-waited").as_deref(), (waits == "call").then_some("not in its own callback"), "{waits}");
        assert_eq!(told("x-local").as_deref(), Some("not here"), "{waits}");
        assert_eq!(told("x-compiled").as_deref(), Some("not in a plugin"), "{waits}");
    }
}

#[inproxy_test::test]
async fn an_expression_is_evaluated_after_a_body_that_was_read(proxy: Proxy<Expressions>) {
    let proxy = start(proxy.hold_headers(), "request.method").await;
    let response = proxy.send(Request::post("/").with_header("x-wait", "body").with_body("hello")).await;
    assert_eq!(response.header("x-collected"), Some("4 bytes: text POST"));
}

#[inproxy_test::test]
async fn callbacks_evaluate_too_but_for_that_of_a_call_out(proxy: Proxy<ByPhase>) {
    let proxy = proxy.configure(json!({ "expression": "plugin_root_id" })).cluster("side", |_| Response::new(200)).start().await;
    proxy.send(Request::post("/").with_body("x")).await;
    for phase in ["request headers", "request body", "response headers", "log"] {
        proxy.expect_log(&format!("{phase}: expressions_by_phase")).await;
    }
    proxy.expect_log("call response: not in its own callback").await;
}

#[inproxy_test::test]
async fn an_access_logger_evaluates_over_all_that_there_was(proxy: Proxy<Logged>) {
    let proxy = proxy.configure(json!({ "when": "response.code >= 500 && request.path.startsWith('/api')" }));
    let proxy = proxy.upstream(|request| Response::new(if request.path().ends_with('x') { 500 } else { 200 })).start().await;
    for path in ["/api/x", "/other/x", "/api/y", "/api/xx"] {
        proxy.send(Request::get(path)).await;
    }
    proxy.expect_log("logged: Ok(\"/api/xx\")").await;
    let logged = proxy.log().iter().filter(|line| line.text.contains("logged: ")).count();
    assert_eq!(logged, 2);
}

#[inproxy_test::test]
async fn an_expression_that_is_none_refuses_the_configuration(proxy: Proxy<Expressions>) {
    let (host, name) = proxy.host();
    for expression in ["request.path ==", "request.path.split('/')", ""] {
        let refused = Proxy::<Expressions>::on(host, name).configure(json!({ "expression": expression })).refused().await;
        let expected = format!("expression: the proxy cannot compile the expression \"{}\": it says why in its log", expression.escape_debug());
        refused.expect_log(&expected);
        refused.expect_log("expr_create");
    }
}

#[inproxy_test::test(only(native, wasm), because = "the real Envoy refuses no calls on demand")]
async fn a_proxy_without_expressions_is_told_apart(proxy: Proxy<Expressions>) {
    let proxy = proxy.configure(json!({ "expression": "1" })).refuse("proxy_call_foreign_function", Status::NOT_FOUND);
    let refused = proxy.refused().await;
    refused.expect_log("the proxy has no function expr_create");
}

#[inproxy_test::test]
async fn an_expression_that_is_renewed_is_forgotten_by_the_proxy(proxy: Proxy<Renewed>) {
    let proxy = proxy.start().await;
    proxy.advance(Duration::from_millis(55)).await;
    let response = proxy.send(Request::get("/")).await;
    let number: u64 = response.header("x-number").unwrap().parse().unwrap();
    assert!(number >= 3, "{number}");
    if let Some(costs) = proxy.costs() {
        // Each was compiled, all but the last were deleted, and one was evaluated.
        assert_eq!(costs.host_calls["proxy_call_foreign_function"], 1 + 2 * number + 1);
    }
}

// ANCHOR: denies
#[inproxy_test::test]
async fn what_an_expression_denies_is_refused(proxy: Proxy<Denies>) {
    let deny = ["request.path.startsWith('/internal')", "request.headers['x-tier'] == 'trial' && request.method != 'GET'"];
    let proxy = proxy.configure(json!({ "deny": deny })).start().await;
    assert_eq!(proxy.send(Request::get("/internal/metrics")).await.status(), 403);
    assert_eq!(proxy.send(Request::post("/").with_header("x-tier", "trial")).await.status(), 403);
    assert_eq!(proxy.send(Request::post("/")).await.status(), 200, "a header that is not there denies nothing");
}
// ANCHOR_END: denies

#[inproxy_test::test]
async fn a_value_is_kept_over_a_call_out(proxy: Proxy<CountedBy>) {
    let counts = |request: &Request| Response::new(if request.header("x-key") == Some("acme/GET") { 200 } else { 429 });
    let proxy = proxy.configure(json!({ "key": "request.headers['x-tenant'] + '/' + request.method", "counts": "counts" })).cluster("counts", counts);
    let proxy = proxy.start().await;
    assert_eq!(proxy.send(Request::get("/").with_header("x-tenant", "acme")).await.status(), 200);
    assert_eq!(proxy.send(Request::post("/").with_header("x-tenant", "acme")).await.status(), 429);
}

#[inproxy_test::test]
async fn a_request_that_is_under_way_keeps_the_expression_it_began_with(proxy: Proxy<Expressions>) {
    let proxy = proxy.configure(json!({ "expression": "'one'" })).upstream(|_| Response::new(200).after(Duration::from_millis(600)));
    let mut proxy = proxy.start().await;
    let under_way = proxy.open(&Request::get("/")).await;
    proxy.advance(Duration::from_millis(150)).await;
    proxy.update(json!({ "expression": "'two'" })).await.unwrap();
    assert_eq!(proxy.send(Request::get("/")).await.header("x-response"), Some("3 bytes: text two"));
    assert_eq!(under_way.response().await.header("x-response"), Some("3 bytes: text one"));
}
