//! What would crash or corrupt Envoy, tried with the SDK. What the raw calls do is in `tests/tests/envoy/raw`, and both are in `docs/safety.md`.

use std::time::Duration;

use filters::{
    grpcs::Unary,
    headers::Reply,
    safety::{FailsAtTrailers, HookSecondThoughts, LastWill, Pseudo, PseudoTrailer, SecondThoughts},
};
use inproxy_test::{GrpcReply, Proxy, Request, Response, json};

#[inproxy_test::test]
async fn a_response_that_was_let_go_and_then_answered_is_a_reset(proxy: Proxy<SecondThoughts>) {
    let (host, name) = proxy.host();
    for (lets_go, answers) in [("response", false), ("response", true), ("headers", false), ("headers", true)] {
        for upstream in [Response::new(200), Response::new(200).with_body("hello"), Response::new(200).with_body("hello").with_trailer("x-t", "1")] {
            let proxy =
                Proxy::<SecondThoughts>::on(host, name).configure(json!({ "authority": "authority", "lets_go": lets_go, "answers": answers }));
            let proxy = proxy.cluster("authority", |_| Response::new(200)).upstream(move |_| upstream.clone()).start().await;
            let response = proxy.open(&Request::get("/")).await.response_or_end().await;
            assert!(response.as_ref().is_none_or(|response| !response.is_whole()), "{lets_go} {answers}: {response:?}");
            proxy.expect_log("the stream is reset: the response's headers went on before the filter answered").await;
        }
    }
}

#[inproxy_test::test]
async fn a_request_that_was_let_go_and_then_answered_does_not_go(proxy: Proxy<SecondThoughts>) {
    let (host, name) = proxy.host();
    for (answers, status) in [(false, 500), (true, 403)] {
        let proxy = Proxy::<SecondThoughts>::on(host, name).configure(json!({ "authority": "authority", "lets_go": "request", "answers": answers }));
        let proxy = proxy.cluster("authority", |_| Response::new(200)).start().await;
        for _ in 0..2 {
            assert_eq!(proxy.send(Request::post("/").with_body("body")).await.status(), status);
        }
        assert!(proxy.upstream().requests().is_empty());
    }
}

#[inproxy_test::test]
async fn callbacks_that_resume_and_then_answer_only_answer(proxy: Proxy<HookSecondThoughts>) {
    let (host, name) = proxy.host();
    for at in ["request", "response"] {
        for upstream in [Response::new(200), Response::new(200).with_body("hello").with_trailer("x-t", "1")] {
            let proxy = Proxy::<HookSecondThoughts>::on(host, name).configure(json!({ "authority": "authority", "at": at, "answers": true }));
            let proxy = proxy.cluster("authority", |_| Response::new(200)).upstream(move |_| upstream.clone()).start().await;
            for asked in 1..=2 {
                let response = proxy.send(Request::get("/")).await;
                assert_eq!((response.status(), response.is_whole()), (403, true));
                assert_eq!(proxy.upstream().requests().len(), if at == "request" { 0 } else { asked });
            }
        }
    }
}

#[inproxy_test::test]
async fn callbacks_that_resume_twice_resume_once(proxy: Proxy<HookSecondThoughts>) {
    let (host, name) = proxy.host();
    for at in ["request", "response", "never"] {
        let proxy = Proxy::<HookSecondThoughts>::on(host, name).configure(json!({ "authority": "authority", "at": at, "answers": false }));
        let proxy = proxy.cluster("authority", |_| Response::new(200)).upstream(|_| Response::new(200).with_body("hello")).start().await;
        for asked in 1..=2 {
            let response = proxy.send(Request::post("/").with_body("body")).await;
            assert_eq!((response.status(), response.text(), response.is_whole()), (200, "hello", true));
            assert_eq!(proxy.upstream().requests().len(), asked);
        }
    }
}

#[inproxy_test::test]
async fn a_response_is_not_split_by_its_status_names_or_values(proxy: Proxy<Pseudo>) {
    let statuses = ["0", "99", "100", "101", "199", "204", "304", "600", "1000", "abc", ""];
    let proxy = proxy.configure(json!({ "statuses": statuses })).upstream(|_| Response::new(200).with_body("hello")).start().await;
    let response = proxy.send(Request::get("/")).await;
    assert_eq!((response.status(), response.text(), response.header("x-a")), (201, "hello", None));
    assert_eq!(response.header("x-refused"), Some(&*(statuses.len() + 1 + 5 + 6).to_string()));
}

#[inproxy_test::test]
async fn a_reply_has_no_body_where_its_status_has_none(proxy: Proxy<Reply>) {
    let (host, name) = proxy.host();
    for (status, body, answered) in [(204, "", 204), (204, "HTTP/1.1 200 OK", 500), (304, "x", 500)] {
        let proxy = Proxy::<Reply>::on(host, name).configure(json!({ "status": status, "body": body })).start().await;
        assert_eq!(proxy.send(Request::get("/")).await.status(), answered);
        if answered == 500 {
            proxy.expect_log(&format!("a local reply with status {status} has no body")).await;
        }
    }
}

#[inproxy_test::test]
async fn trailers_have_no_pseudo_headers(proxy: Proxy<PseudoTrailer>) {
    let proxy = proxy.upstream(|_| Response::new(200).with_body("hello").with_trailer("x-t", "1")).start().await;
    let response = proxy.send(Request::get("/")).await;
    assert_eq!((response.trailer_value(":path"), response.trailer_value("x-refused")), (None, Some(&b"yes"[..])));
}

#[inproxy_test::test]
async fn a_drop_at_the_end_of_a_stream_does_nothing(proxy: Proxy<LastWill>) {
    let (host, name) = proxy.host();
    for of_response in [false, true] {
        let proxy = Proxy::<LastWill>::on(host, name).configure(json!({ "authority": "authority", "response": of_response }));
        let late = |_: &Request| Response::new(200).after(Duration::from_secs(3));
        let proxy = proxy.cluster("authority", late).upstream(|_| Response::new(200).with_body("hello")).start().await;
        let exchange = proxy.open(&Request::get("/")).await;
        proxy.advance(Duration::from_millis(60)).await;
        exchange.leave().await;
        proxy.expect_log(&format!("the last will of a {}: edited false", if of_response { "response" } else { "request" })).await;
        assert_eq!(proxy.send(Request::get("/alone")).await.status(), 200);
        assert_eq!(proxy.upstream().requests().len(), if of_response { 2 } else { 1 });
    }
}

#[inproxy_test::test]
async fn a_failure_at_a_responses_trailers_is_a_reset(proxy: Proxy<FailsAtTrailers>) {
    let proxy = proxy.upstream(|_| Response::new(200).with_body("hello").with_trailer("x-t", "1")).start().await;
    for _ in 0..2 {
        let response = proxy.open(&Request::get("/")).await.response_or_end().await;
        assert!(response.is_none_or(|response| !response.is_whole()));
        proxy.expect_log("the filter failed: at the trailers").await;
    }
}

#[inproxy_test::test]
async fn services_of_any_name_are_asked(proxy: Proxy<Unary>) {
    let (host, test) = proxy.host();
    // Names that are messages too, and one whose length takes two bytes.
    for name in ["auth_grpc", "a", "m", "zzzzzzzzzz", &"long".repeat(40)] {
        let proxy = Proxy::<Unary>::on(host, test).configure(json!({ "service": name })).grpc(name, |_| GrpcReply::message("hello")).start().await;
        proxy.send(Request::get("/")).await.expect_header("x-told", "hello");
    }
}
