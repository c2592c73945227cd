//! Lists: what is looked up, what clients see, what is kept of a decision. The cases of Mixer are in the list's own tests.

mod fetched;

use auth::Auth;
use std::time::Duration;

use inproxy_test::{Certificate, Client, Proxy, Request, Response, Running, Tls, Value, json};

/// One list, that all requests are looked up in.
fn with(proxy: Proxy<Auth>, list: &Value) -> Proxy<Auth> {
    proxy.configure(json!({ "checks": { "offices": { "list": list } }, "rules": [{ "require": "offices" }] })).metric_labels(["check", "outcome"])
}

fn user(name: &str) -> Request {
    Request::get("/").with_header("x-user", name)
}

async fn assert_answers(proxy: &Running, request: Request, status: u16, body: &str) {
    let shown = format!("{request:?}");
    let response = proxy.send(request).await;
    assert_eq!((response.status(), response.text()), (status, body), "{shown}");
}

/// §4.14, with the name of the check in the place of the handler's.
#[inproxy_test::test]
async fn clients_see_what_clients_of_mixer_saw(proxy: Proxy<Auth>) {
    let (host, name) = proxy.host();
    for (blacklist, request, status, body) in [
        (false, user("src1"), 200, ""),
        (false, user("src3"), 403, "PERMISSION_DENIED:offices:src3 is not whitelisted"),
        (false, Request::get("/"), 403, "PERMISSION_DENIED:offices: is not whitelisted"),
        (true, user("src1"), 403, "PERMISSION_DENIED:offices:src1 is blacklisted"),
        (true, user("src3"), 200, ""),
        (true, Request::get("/"), 200, ""),
    ] {
        let list = json!({ "value": { "header": "x-user" }, "overrides": ["src1", "src2"], "blacklist": blacklist });
        let proxy = with(Proxy::on(host, name), &list).start().await;
        assert_answers(&proxy, request, status, body).await;
    }
}

#[inproxy_test::test]
async fn a_client_of_grpc_gets_the_code(proxy: Proxy<Auth>) {
    let proxy = with(proxy, &json!({ "value": { "header": "x-user" }, "overrides": ["src1"] })).start().await;
    let call = |user: &str| Request::post("/a.B/C").with_header("content-type", "application/grpc").with_header("x-user", user);
    let response = proxy.send(call("src3")).await;
    assert_eq!((response.header("grpc-status"), response.header("grpc-message")), (Some("7"), Some("offices:src3 is not whitelisted")));
    assert_eq!(proxy.send(call("src1")).await.header("grpc-status"), None);
}

/// Whom Envoy takes for the client is a matter of its configuration; here it is what `x-forwarded-for` says.
#[inproxy_test::test]
async fn the_address_of_the_client_is_looked_up_without_its_port(proxy: Proxy<Auth>) {
    let (host, name) = proxy.host();
    let list = json!({ "entry_type": "IP_ADDRESSES", "overrides": ["10.57.0.0/16", "2001:db8::1", "127.0.0.0/8"] });
    let proxy = with(proxy, &list).start().await;
    let from = |address: &str| Request::get("/").with_header("x-forwarded-for", address);
    assert_answers(&proxy, from("10.57.0.1"), 200, "").await;
    assert_answers(&proxy, from("10.56.0.1"), 403, "PERMISSION_DENIED:offices:10.56.0.1 is not whitelisted").await;
    assert_answers(&proxy, from("2001:db8::1"), 200, "").await;
    assert_answers(&proxy, from("2001:db8::2"), 403, "PERMISSION_DENIED:offices:2001:db8::2 is not whitelisted").await;
    assert_answers(&proxy, Request::get("/"), 200, "").await;
    // As a text, too.
    let proxy = with(Proxy::on(host, name), &json!({ "value": "source_address", "overrides": ["127.0.0.1"], "blacklist": true })).start().await;
    assert_answers(&proxy, Request::get("/"), 403, "PERMISSION_DENIED:offices:127.0.0.1 is blacklisted").await;
}

#[inproxy_test::test]
async fn the_name_in_the_certificate_of_the_client_is_looked_up(proxy: Proxy<Auth>) {
    let (host, name) = proxy.host();
    let frontend = Certificate::new().uri("spiffe://cluster.local/ns/shop/sa/frontend");
    let other = Certificate::new().uri("spiffe://cluster.local/ns/shop/sa/other");
    let list = json!({ "value": "principal", "entry_type": "REGEX", "overrides": ["/ns/shop/sa/front.*$"] });
    let tls = Tls::new(&Certificate::new().dns("server.example"));
    let with_certificates = with(proxy, &list).tls(tls.clone().require_client_certificate()).start().await;
    for (certificate, status) in [(frontend, 200), (other, 403)] {
        assert_eq!(with_certificates.send_from(&Client::new().certificate(&certificate), Request::get("/")).await.status(), status);
    }
    let without = with(Proxy::on(host, name), &list).tls(tls).start().await;
    let response = without.send_from(&Client::new(), Request::get("/")).await;
    assert_eq!((response.status(), response.text()), (403, "PERMISSION_DENIED:offices: is not whitelisted"));
}

#[inproxy_test::test]
async fn the_value_of_an_expression_is_looked_up(proxy: Proxy<Auth>) {
    let list = json!({ "value": { "expression": "request.method + ' ' + request.path" }, "entry_type": "REGEX", "overrides": ["^GET /public/"] });
    let proxy = with(proxy, &list).start().await;
    assert_answers(&proxy, Request::get("/public/x"), 200, "").await;
    assert_answers(&proxy, Request::get("/private"), 403, "PERMISSION_DENIED:offices:GET /private is not whitelisted").await;
    assert_answers(&proxy, Request::post("/public/x"), 403, "PERMISSION_DENIED:offices:POST /public/x is not whitelisted").await;
}

/// §4.14 has an address as text and as bytes. What an expression gives does not say which it is: four letters are four bytes.
#[inproxy_test::test]
async fn the_bytes_of_an_address_are_one_where_the_configuration_says_so(proxy: Proxy<Auth>) {
    let (host, name) = proxy.host();
    // "A" is 65.
    let request = |bytes: &str| Request::get("/").with_header("x-bytes", bytes);
    let value = json!({ "address_expression": "bytes(request.headers['x-bytes'])" });
    let proxy = with(proxy, &json!({ "value": value, "entry_type": "IP_ADDRESSES", "overrides": ["65.65.0.0/16", "4242::/16"] })).start().await;
    assert_answers(&proxy, request("AAAA"), 200, "").await;
    assert_answers(&proxy, request("ABAA"), 403, "PERMISSION_DENIED:offices:65.66.65.65 is not whitelisted").await;
    assert_answers(&proxy, request("BBBBBBBBBBBBBBBB"), 200, "").await;
    assert_answers(&proxy, request("AAA"), 400, "INVALID_ARGUMENT:offices:?414141 is not a valid string or IP address").await;
    let value = json!({ "expression": "request.headers['x-bytes']" });
    let proxy = with(Proxy::on(host, name), &json!({ "value": value, "overrides": ["AAAA"] })).start().await;
    assert_answers(&proxy, request("AAAA"), 200, "").await;
}

#[inproxy_test::test]
async fn without_a_value_nothing_is_decided(proxy: Proxy<Auth>) {
    let (host, name) = proxy.host();
    let mut list = json!({ "value": { "expression": "request.headers['x-user']" }, "overrides": ["alice"], "blacklist": true });
    let proxy = with(proxy, &list).start().await;
    assert_answers(&proxy, Request::get("/"), 500, "INTERNAL").await;
    assert_answers(&proxy, user("bob"), 200, "").await;
    proxy.expect_log("offices: there is nothing to look up").await;
    assert_eq!(proxy.series("auth_checks", [("check", "offices"), ("outcome", "undecided")]).await, 1.0);
    list["fail_open"] = json!(true);
    let proxy = with(Proxy::on(host, name), &list).start().await;
    assert_answers(&proxy, Request::get("/"), 200, "").await;
    assert_answers(&proxy, user("alice"), 403, "PERMISSION_DENIED:offices:alice is blacklisted").await;
    assert_eq!(proxy.series("auth_checks", [("check", "offices"), ("outcome", "undecided_allowed")]).await, 1.0);
}

#[inproxy_test::test]
async fn what_is_no_value_of_the_list_is_refused_on_any_list(proxy: Proxy<Auth>) {
    let (host, name) = proxy.host();
    for blacklist in [false, true] {
        let list = json!({ "value": { "header": "x-user" }, "overrides": ["a", "b", "a, b"], "blacklist": blacklist });
        let proxy = with(Proxy::on(host, name), &list).start().await;
        let twice = user("a").with_header("x-user", "c");
        assert_answers(&proxy, twice, 400, "INVALID_ARGUMENT:offices:a, c is not a valid string or IP address").await;
        let not_text = Request::get("/").with_header("x-user", b"a\xff");
        assert_answers(&proxy, not_text, 400, "INVALID_ARGUMENT:offices:a\u{fffd} is not a valid string or IP address").await;
        let list = json!({ "value": { "header": "x-ip" }, "entry_type": "IP_ADDRESSES", "overrides": ["10.0.0.1"], "blacklist": blacklist });
        let proxy = with(Proxy::on(host, name), &list).start().await;
        let xyz = Request::get("/").with_header("x-ip", "XYZ");
        assert_answers(&proxy, xyz, 400, "INVALID_ARGUMENT:offices:XYZ is not a valid IP address").await;
    }
}

/// Its expression is evaluated before, also if another check waits for a service meanwhile, and if the rule only watches.
#[inproxy_test::test]
async fn an_expression_is_evaluated_before_anybody_is_asked(proxy: Proxy<Auth>) {
    let slow = json!({ "list": { "value": { "header": "x-user" }, "provider": { "cluster": "lists" } } });
    let texts = json!({ "list": { "value": { "expression": "request.path" }, "overrides": ["/a"] } });
    let proxy = proxy
        .configure(json!({
            "checks": { "slow": slow, "paths": texts },
            "rules": [
                { "name": "tomorrow", "require": ["slow", "paths"], "shadow": true },
                { "require": ["slow", "paths"] },
            ],
        }))
        .cluster("lists", |_| Response::new(200).with_body("alice").after(Duration::from_millis(50)))
        .start()
        .await;
    let from_alice = |path: &str| Request::get(path).with_header("x-user", "alice");
    assert_answers(&proxy, from_alice("/a"), 200, "").await;
    assert_answers(&proxy, from_alice("/b"), 403, "PERMISSION_DENIED:paths:/b is not whitelisted").await;
}

/// The others are among the tests of the configuration.
#[inproxy_test::test]
async fn a_list_that_cannot_be_meant_is_refused(proxy: Proxy<Auth>) {
    let (host, name) = proxy.host();
    for (list, reason) in [
        (
            json!({ "provider": { "cluster": "lists" }, "refreshInterval": "0s" }),
            "checks.offices.list.refresh_interval: it must be at least 1s, it is 0ns",
        ),
        (json!({ "entry_type": "REGEX", "overrides": ["a", "(["] }), "checks.offices.list.overrides[1]: \"([\" is not a regular expression: "),
        (json!({ "value": { "expression": "request.path ==" } }), "checks.offices.list.value.expression: the proxy cannot compile"),
    ] {
        with(Proxy::on(host, name), &list).refused().await.expect_log(reason);
    }
}
