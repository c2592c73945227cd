//! `reference` sections are those of Mixer's golden cases.

use auth::Auth;
use inproxy_test::{Proxy, Request, Value, json};

fn denying(proxy: Proxy<Auth>, denier: &Value) -> Proxy<Auth> {
    proxy.configure(json!({ "checks": { "closed": { "denier": denier } }, "rules": [{ "require": "closed" }] }))
}

/// §4.26, what clients of Mixer saw.
#[inproxy_test::test]
async fn clients_see_what_clients_of_mixer_saw(proxy: Proxy<Auth>) {
    let (host, name) = proxy.host();
    let cookies = json!({ "set-cookie": "c1=1, c2=2" });
    for (denier, status, body) in [
        (json!({}), 400, "FAILED_PRECONDITION"),
        (json!({ "status": { "code": 16, "message": "Unauthenticated by mixer." } }), 401, "UNAUTHENTICATED:closed:Unauthenticated by mixer."),
        (json!({ "status": { "code": 7, "message": "shish" } }), 403, "PERMISSION_DENIED:closed:shish"),
        (json!({ "status": { "code": 7 }, "direct_response": { "code": 503, "body": "nothing to see here" } }), 503, "nothing to see here"),
        (json!({ "status": { "code": 16 }, "direct_response": { "body": "denied", "headers": cookies } }), 401, "denied"),
        (json!({ "status": { "code": 7 }, "direct_response": { "code": 301, "headers": { "location": "/login" } } }), 301, ""),
        (json!({ "direct_response": { "body": "412 by hand" } }), 412, "412 by hand"),
    ] {
        let proxy = denying(Proxy::on(host, name), &denier).start().await;
        let response = proxy.send(Request::get("/")).await;
        assert_eq!((response.status(), response.text()), (status, body), "{denier}");
        if body == "denied" {
            assert_eq!(response.headers("set-cookie"), ["c1=1", "c2=2"]);
        }
        if status == 301 {
            assert_eq!(response.header("location"), Some("/login"));
        }
        assert!(proxy.upstream().requests().is_empty());
    }
}

#[inproxy_test::test]
async fn a_client_of_grpc_gets_the_code(proxy: Proxy<Auth>) {
    let proxy = denying(proxy, &json!({ "status": { "code": 7, "message": "shish" } })).start().await;
    let response = proxy.send(Request::post("/a.B/C").with_header("content-type", "application/grpc")).await;
    assert_eq!(response.status(), 200);
    assert_eq!((response.header("grpc-status"), response.header("grpc-message")), (Some("7"), Some("closed:shish")));
}

#[inproxy_test::test]
async fn a_denier_that_cannot_be_meant_is_refused(proxy: Proxy<Auth>) {
    let (host, name) = proxy.host();
    for (denier, reason) in [
        (json!({ "status": { "code": 0 } }), "checks.closed.denier.status.code: 0 is no code of gRPC that denies"),
        (json!({ "status": { "code": 17 } }), "checks.closed.denier.status.code: 17 is no code"),
        (json!({ "direct_response": { "code": 204 } }), "checks.closed.denier.direct_response.code: 204 is no status"),
        (json!({ "valid_durations": "5s" }), "checks.closed.denier.valid_durations: unknown field"),
    ] {
        denying(Proxy::on(host, name), &denier).refused().await.expect_log(reason);
    }
}
