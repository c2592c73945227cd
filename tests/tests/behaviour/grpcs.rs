use std::time::Duration;

use filters::grpcs::{Insists, Talk, Unary};
use inproxy_test::{GrpcCall, GrpcReply, Proxy, Request, json};

fn greeter(call: &GrpcCall) -> GrpcReply {
    match call.message() {
        b"" => GrpcReply::status(3, "who are you"),
        b"late" => GrpcReply::message("too late").after(Duration::from_millis(400)),
        user => GrpcReply::message([b"hello ", user].concat()),
    }
}

#[inproxy_test::test]
async fn a_service_is_asked_and_answers(proxy: Proxy<Unary>) {
    let proxy = proxy.configure(json!({ "service": "greeter" })).grpc("greeter", greeter).start().await;
    let response = proxy.send(Request::post("/").with_header("x-user", "alice").with_body("the body")).await;
    response.expect_header("x-told", "hello alice");
    let request = proxy.upstream().request();
    assert_eq!((request.header("x-told"), request.text()), (Some("hello alice"), "the body"));
    let [call] = &proxy.grpc_calls("greeter")[..] else { panic!("one call") };
    assert_eq!((call.service(), call.method(), call.message()), ("acme.Greeter", "Hello", &b"alice"[..]));
    assert_eq!(call.metadata("x-meta"), Some(&b"m"[..]));
}

#[inproxy_test::test]
async fn a_status_of_the_service_is_an_error(proxy: Proxy<Unary>) {
    let proxy = proxy.configure(json!({ "service": "greeter" })).grpc("greeter", greeter).start().await;
    proxy.send(Request::get("/")).await.expect_header("x-told", "gRPC status invalid argument (3): who are you");
}

#[inproxy_test::test]
async fn a_service_that_takes_too_long_is_unavailable(proxy: Proxy<Unary>) {
    let proxy = proxy.configure(json!({ "service": "greeter", "timeout_ms": 50 })).grpc("greeter", greeter).start().await;
    let late = Request::get("/").with_header("x-user", "late");
    proxy.send(late).await.expect_header("x-told", "gRPC status unavailable (14): upstream request timeout");
    proxy.send(Request::get("/").with_header("x-user", "bob")).await.expect_header("x-told", "hello bob");
}

#[inproxy_test::test]
async fn a_service_without_an_endpoint_and_an_unknown_one_are_unavailable(proxy: Proxy<Unary>) {
    let mut proxy = proxy.configure(json!({ "service": "gone" })).cluster_without_endpoints("gone").start().await;
    for name in ["gone", "never"] {
        if name == "never" {
            proxy.update(json!({ "service": name })).await.unwrap();
        }
        let told = format!("gRPC status unavailable (14): cluster \"{name}\" cannot be reached: it is not there, or has no healthy endpoint");
        for _ in 0..2 {
            proxy.send(Request::get("/")).await.expect_header("x-told", &told);
        }
    }
}

#[inproxy_test::test]
async fn a_request_that_leaves_cancels_its_call(proxy: Proxy<Unary>) {
    let proxy = proxy.configure(json!({ "service": "greeter" })).grpc("greeter", greeter).start().await;
    let exchange = proxy.open(&Request::get("/").with_header("x-user", "late")).await;
    proxy.advance(Duration::from_millis(50)).await;
    exchange.leave().await;
    proxy.advance(Duration::from_millis(500)).await;
    proxy.send(Request::get("/").with_header("x-user", "bob")).await.expect_header("x-told", "hello bob");
    assert_eq!(proxy.upstream().requests().len(), 1);
}

/// Answers each message; at the client's end says how many there were.
fn chat(call: &GrpcCall) -> GrpcReply {
    if call.is_ended() {
        let count = call.messages().len();
        return GrpcReply::message("bye").with_trailer("x-sum", count.to_string()).and_status(0, "");
    }
    match call.message() {
        b"stop" => GrpcReply::status(10, "enough"),
        word => GrpcReply::message(word.to_ascii_uppercase()).with_metadata("x-began", "yes"),
    }
}

#[inproxy_test::test]
async fn messages_go_both_ways_one_after_the_other(proxy: Proxy<Talk>) {
    let proxy = proxy.configure(json!({ "service": "chat" })).grpc_stream("chat", chat).start().await;
    for _ in 0..2 {
        proxy.send(Request::get("/").with_header("x-words", "one two three")).await.expect_header("x-told", "ONE,TWO,THREE,yes,bye");
    }
}

/// Greets at the first message, and answers all when the client has ended.
fn patient(call: &GrpcCall) -> GrpcReply {
    if !call.is_ended() {
        return if call.messages().len() == 1 { GrpcReply::message("welcome") } else { GrpcReply::nothing() };
    }
    let answers = call.messages().iter().fold(GrpcReply::nothing(), |reply, message| reply.and_message(message.to_ascii_uppercase()));
    answers.with_trailer("x-sum", call.messages().len().to_string()).and_status(0, "")
}

#[inproxy_test::test]
async fn messages_go_both_ways_at_the_same_time(proxy: Proxy<Talk>) {
    let proxy = proxy.configure(json!({ "service": "chat", "at_once": true })).grpc_stream("chat", patient).start().await;
    proxy.send(Request::get("/").with_header("x-words", "one two three")).await.expect_header("x-told", "welcome,ONE,TWO,THREE,3");
}

#[inproxy_test::test]
async fn a_stream_that_the_service_ends_tells_its_status(proxy: Proxy<Talk>) {
    let proxy = proxy.configure(json!({ "service": "chat" })).grpc_stream("chat", chat).start().await;
    proxy.send(Request::get("/").with_header("x-words", "one stop three")).await.expect_header("x-told", "gRPC status aborted (10): enough");
}

#[inproxy_test::test]
async fn a_stream_to_nobody_is_unavailable_at_once(proxy: Proxy<Talk>) {
    let proxy = proxy.configure(json!({ "service": "gone" })).cluster_without_endpoints("gone").start().await;
    let told = "gRPC status unavailable (14): cluster \"gone\" cannot be reached: it is not there, or has no healthy endpoint";
    for _ in 0..2 {
        proxy.send(Request::get("/").with_header("x-words", "one")).await.expect_header("x-told", told);
    }
}

#[inproxy_test::test]
async fn a_stream_that_is_dropped_is_reset(proxy: Proxy<Talk>) {
    let proxy = proxy.configure(json!({ "service": "chat", "only": 1 })).grpc_stream("chat", chat).start().await;
    for _ in 0..3 {
        proxy.send(Request::get("/").with_header("x-words", "one two three")).await.expect_header("x-told", "ONE");
    }
    for call in proxy.grpc_calls("chat") {
        assert_eq!(call.messages(), [b"one".to_vec()]);
        assert!(!call.is_ended(), "it was not closed, but reset: {call:?}");
    }
}

#[inproxy_test::test]
async fn nothing_is_sent_on_a_stream_that_the_service_has_ended(proxy: Proxy<Insists>) {
    let proxy = proxy.configure(json!({ "service": "chat" })).grpc_stream("chat", chat).start().await;
    let told = "gRPC status aborted (10): enough; gRPC status failed precondition (9): the stream has ended";
    for _ in 0..20 {
        proxy.send(Request::get("/")).await.expect_header("x-told", told);
    }
}
