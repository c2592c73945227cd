use std::time::Duration;

use inproxy_test::{GrpcReply, Proxy, Request, Value, json};
use prost::Message;
use rate_limit::RateLimit;

/// The parts of the protocol that these tests speak, written by hand: what the filter speaks is generated.
mod wire {
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Question {
        #[prost(string, tag = "1")]
        pub domain: String,
        #[prost(message, repeated, tag = "2")]
        pub descriptors: Vec<Descriptor>,
        #[prost(uint32, tag = "3")]
        pub hits: u32,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Descriptor {
        #[prost(message, repeated, tag = "1")]
        pub entries: Vec<Pair>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Pair {
        #[prost(string, tag = "1")]
        pub key: String,
        #[prost(string, tag = "2")]
        pub value: String,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Answer {
        #[prost(int32, tag = "1")]
        pub code: i32,
        #[prost(message, repeated, tag = "2")]
        pub statuses: Vec<Status>,
        #[prost(message, repeated, tag = "3")]
        pub response_headers: Vec<Pair>,
        #[prost(message, repeated, tag = "4")]
        pub request_headers: Vec<Pair>,
        #[prost(bytes = "vec", tag = "5")]
        pub body: Vec<u8>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Status {
        #[prost(int32, tag = "1")]
        pub code: i32,
        #[prost(message, optional, tag = "2")]
        pub limit: Option<Limit>,
        #[prost(uint32, tag = "3")]
        pub remaining: u32,
        #[prost(message, optional, tag = "4")]
        pub reset: Option<Reset>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Limit {
        #[prost(uint32, tag = "1")]
        pub requests_per_unit: u32,
        #[prost(int32, tag = "2")]
        pub unit: i32,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Reset {
        #[prost(int64, tag = "1")]
        pub seconds: i64,
    }

    pub(super) fn pair(key: &str, value: &str) -> Pair {
        Pair { key: key.to_owned(), value: value.to_owned() }
    }
}

use wire::{Answer, Limit, Question, Reset, Status, pair};

const OK: i32 = 1;
const OVER_LIMIT: i32 = 2;

fn limit(more: &Value) -> Value {
    let descriptors = json!([
        [{ "key": "remote_address", "value": "source_address" }],
        [{ "key": "plan", "value": { "header": "x-plan" } }, { "key": "path", "value": { "cel": "request.url_path" } }],
    ]);
    let mut limit = json!({ "name": "global", "fail_open": false, "global": { "cluster": "rls", "domain": "shop", "descriptors": descriptors, "timeout": "2s" } });
    for (name, value) in more.as_object().unwrap() {
        limit[name] = value.clone();
    }
    json!({ "limits": [limit] })
}

#[inproxy_test::test]
async fn the_service_is_asked_by_descriptors_and_its_headers_are_added(proxy: Proxy<RateLimit>) {
    let status = Status { code: OK, limit: Some(Limit { requests_per_unit: 100, unit: 2 }), remaining: 42, reset: Some(Reset { seconds: 7 }) };
    let answer = Answer {
        code: OK,
        statuses: vec![status],
        response_headers: vec![pair("x-counted", "yes")],
        request_headers: vec![pair("x-tier", "gold")],
        body: Vec::new(),
    };
    let answer = answer.encode_to_vec();
    let proxy = proxy.configure(limit(&json!({ "amount": "2" }))).grpc("rls", move |_| GrpcReply::message(answer.clone())).start().await;
    let response = proxy.send(Request::get("/a?b").with_header("x-plan", "free")).await;
    assert_eq!((response.status(), response.header("x-counted")), (200, Some("yes")));
    assert_eq!(["limit", "remaining", "reset"].map(|name| response.header(&format!("x-ratelimit-{name}"))), [Some("100"), Some("42"), Some("7")]);
    assert_eq!(proxy.upstream().request().header("x-tier"), Some("gold"));
    let [call] = &proxy.grpc_calls("rls")[..] else { panic!("one call") };
    assert_eq!((call.service(), call.method()), ("envoy.service.ratelimit.v3.RateLimitService", "ShouldRateLimit"));
    let question = Question::decode(call.message()).unwrap();
    assert_eq!((question.domain.as_str(), question.hits), ("shop", 2));
    let descriptors: Vec<_> = question.descriptors.into_iter().map(|descriptor| descriptor.entries).collect();
    assert_eq!(descriptors, [vec![pair("remote_address", "127.0.0.1")], vec![pair("plan", "free"), pair("path", "/a")]]);
}

/// One without a value is left out, and so is a client without a certificate.
#[inproxy_test::test]
async fn the_service_is_told_what_each_source_says(proxy: Proxy<RateLimit>) {
    let entry = |key: &str, value: Value| json!([{ "key": key, "value": value }]);
    let descriptors = [
        entry("header", json!({ "header": "x-plan" })),
        entry("no header", json!({ "header": "x-none" })),
        entry("address", json!("source_address")),
        entry("principal", json!("principal")),
        entry("attribute", json!({ "cel": "request.method" })),
        entry("expression", json!({ "cel": "request.host + request.path" })),
        entry("whole number", json!({ "cel_int": "-3" })),
        entry("number", json!({ "cel_double": "0.5" })),
        entry("truth", json!({ "cel_bool": "request.method == 'GET'" })),
        entry("constant", json!({ "text": "c" })),
    ];
    let global = json!({ "cluster": "rls", "domain": "shop", "descriptors": descriptors, "timeout": "2s" });
    let answer = Answer { code: OK, ..Answer::default() }.encode_to_vec();
    let proxy = proxy.configure(limit(&json!({ "global": global }))).grpc("rls", move |_| GrpcReply::message(answer.clone())).start().await;
    assert_eq!(proxy.send(Request::get("/a").with_authority("shop").with_header("x-plan", "free")).await.status(), 200);
    let question = Question::decode(proxy.grpc_calls("rls")[0].message()).unwrap();
    let told: Vec<_> = question.descriptors.iter().flat_map(|descriptor| &descriptor.entries).map(|pair| (&*pair.key, &*pair.value)).collect();
    assert_eq!(
        told,
        [
            ("header", "free"),
            ("address", "127.0.0.1"),
            ("attribute", "GET"),
            ("expression", "shop/a"),
            ("whole number", "-3"),
            ("number", "0.5"),
            ("truth", "true"),
            ("constant", "c"),
        ]
    );
}

#[inproxy_test::test]
async fn what_the_service_refuses_is_refused_with_its_words(proxy: Proxy<RateLimit>) {
    let status = Status { code: OVER_LIMIT, limit: Some(Limit { requests_per_unit: 10, unit: 1 }), remaining: 0, reset: Some(Reset { seconds: 3 }) };
    let answer = Answer {
        code: OVER_LIMIT,
        statuses: vec![status],
        response_headers: vec![pair("x-why", "quota")],
        request_headers: Vec::new(),
        body: b"later".to_vec(),
    };
    let answer = answer.encode_to_vec();
    let proxy = proxy.configure(limit(&json!({}))).grpc("rls", move |_| GrpcReply::message(answer.clone())).start().await;
    let response = proxy.send(Request::get("/")).await;
    assert_eq!((response.status(), response.text(), response.header("x-why")), (429, "later", Some("quota")));
    assert_eq!((response.header("retry-after"), response.header("x-envoy-ratelimited")), (Some("3"), Some("true")));
    assert!(proxy.upstream().requests().is_empty());
    // The second descriptor has no plan, and is left out.
    assert_eq!(Question::decode(proxy.grpc_calls("rls")[0].message()).unwrap().descriptors.len(), 1);
}

/// A header that is none fails no response; for the upstream it is part of the decision.
#[inproxy_test::test]
async fn a_header_that_is_none_is_not_told(proxy: Proxy<RateLimit>) {
    let (host, name) = proxy.host();
    for (code, for_client, for_upstream, fail_open, status) in
        [(OK, true, false, false, 200), (OVER_LIMIT, true, false, false, 429), (OK, false, true, true, 200), (OK, false, true, false, 503)]
    {
        let headers = |wrong: bool| if wrong { vec![pair("not a name", "x"), pair("x-good", "yes")] } else { Vec::new() };
        let answer = Answer { code, response_headers: headers(for_client), request_headers: headers(for_upstream), ..Answer::default() };
        let answer = answer.encode_to_vec();
        let proxy = Proxy::<RateLimit>::on(host, name).configure(limit(&json!({ "fail_open": fail_open })));
        let proxy = proxy.grpc("rls", move |_| GrpcReply::message(answer.clone())).start().await;
        let response = proxy.send(Request::get("/")).await;
        assert_eq!((response.status(), response.header("x-good")), (status, for_client.then_some("yes")));
    }
}

#[inproxy_test::test]
async fn without_an_answer_a_request_passes_or_not_as_the_operator_says(proxy: Proxy<RateLimit>) {
    let (host, name) = proxy.host();
    for (fail_open, status) in [(true, 200), (false, 503)] {
        for failure in ["down", "slow", "status", "garbage", "unknown"] {
            let proxy = Proxy::<RateLimit>::on(host, name).configure(limit(&json!({ "fail_open": fail_open })));
            let proxy = match failure {
                "down" => proxy.cluster_refusing("rls"),
                "slow" => {
                    proxy.grpc("rls", |_| GrpcReply::message(Answer { code: OK, ..Answer::default() }.encode_to_vec()).after(Duration::from_secs(4)))
                }
                "status" => proxy.grpc("rls", |_| GrpcReply::status(14, "no")),
                "garbage" => proxy.grpc("rls", |_| GrpcReply::message("\u{ff}garbage")),
                _ => proxy.grpc("rls", |_| GrpcReply::message(Answer::default().encode_to_vec())),
            };
            let proxy = proxy.metric_labels(["limit", "outcome"]).start().await;
            assert_eq!(proxy.send(Request::get("/")).await.status(), status, "{failure} {fail_open}");
            let outcome = if fail_open { "undecided_allowed" } else { "undecided" };
            assert!(proxy.series("rate_limit_requests", [("limit", "global"), ("outcome", outcome)]).await >= 1.0, "{failure}");
        }
    }
}
