//! What the fault sweep has found (`docs/faults.md`).

use std::time::Duration;

use inproxy::abi::Status;
use inproxy_test::{Proxy, Request, Value, json};
use rate_limit::RateLimit;

fn one(limit: Value) -> Value {
    json!({ "limits": [limit] })
}

#[inproxy_test::test(only(native, wasm), because = "the real Envoy does not refuse calls on demand")]
async fn without_a_clock_a_request_passes_or_not_as_the_operator_says(proxy: Proxy<RateLimit>) {
    let (host, name) = proxy.host();
    for (fail_open, shadow, status) in [(true, false, 200), (false, false, 503), (false, true, 200)] {
        let bucket = json!({ "max_tokens": 9, "fill_interval": "1h" });
        let proxy = Proxy::<RateLimit>::on(host, name)
            .configure(one(json!({ "name": "all", "bucket": bucket, "fail_open": fail_open, "shadow": shadow })))
            .refuse("proxy_get_current_time_nanoseconds", Status::INTERNAL_FAILURE)
            .start()
            .await;
        assert_eq!(proxy.send(Request::get("/")).await.status(), status, "fail_open {fail_open}, shadow {shadow}");
    }
}

#[inproxy_test::test(only(native, wasm), because = "the real Envoy does not refuse calls on demand")]
async fn what_is_in_use_is_given_back_later_if_it_cannot_be_now(proxy: Proxy<RateLimit>) {
    let (host, name) = proxy.host();
    for call in ["proxy_get_current_time_nanoseconds", "proxy_get_shared_data", "proxy_set_shared_data"] {
        for status in [Status::NOT_FOUND, Status::INTERNAL_FAILURE] {
            let proxy = Proxy::<RateLimit>::on(host, name).configure(one(json!({ "name": "all", "quota": { "max_amount": 1 } })));
            let proxy = proxy.refuse_nth(call, 2, status).start().await;
            assert_eq!(proxy.send(Request::get("/")).await.status(), 200, "{call} {status}");
            proxy.advance(Duration::from_millis(1100)).await;
            assert_eq!(proxy.send(Request::get("/")).await.status(), 200, "{call} {status}");
        }
    }
}

#[inproxy_test::test(only(native, wasm), because = "the real Envoy does not refuse calls on demand")]
async fn what_was_granted_is_given_back_if_it_cannot_be_remembered(proxy: Proxy<RateLimit>) {
    let (host, name) = proxy.host();
    for quota in [json!({ "max_amount": 1, "deduplicate_by": "x-id" }), json!({ "max_amount": 1, "valid_duration": "1h", "deduplicate_by": "x-id" })]
    {
        // The first write counts the request, the second remembers it.
        let proxy = Proxy::<RateLimit>::on(host, name).configure(one(json!({ "name": "all", "quota": quota, "fail_open": false })));
        let proxy = proxy.refuse_nth("proxy_set_shared_data", 2, Status::INTERNAL_FAILURE).start().await;
        for (id, status) in [("1", 503), ("2", 200)] {
            assert_eq!(proxy.send(Request::get("/").with_header("x-id", id)).await.status(), status, "{quota} {id}");
        }
    }
}
