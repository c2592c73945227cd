//! Whether each of many streams that wait for all kinds of things, and wake each other, acts on itself alone.

use std::time::Duration;

use filters::shuffle::Shuffle;
use inproxy_test::{GrpcReply, Proxy, Request, Response, json};

const REQUESTS: u64 = 120;

/// What a stream has appended, in its order.
fn steps(id: u64) -> Vec<String> {
    (0..5).map(|step| format!("{id}/{step}")).collect()
}

#[inproxy_test::test]
async fn each_of_many_streams_changes_only_its_own_headers(proxy: Proxy<Shuffle>) {
    let late = |id: &str| Duration::from_millis(id.parse::<u64>().unwrap_or(0) * 13 % 70);
    let service = move |request: &Request| {
        let id = request.path().trim_start_matches('/');
        Response::new(200).with_body(id).after(late(id))
    };
    let echo = move |call: &inproxy_test::GrpcCall| {
        let id = String::from_utf8_lossy(call.message()).into_owned();
        GrpcReply::message(id.clone()).after(late(&id))
    };
    let upstream = |request: &Request| {
        assert_eq!(request.headers("x-step"), steps(request.header("x-id").unwrap().parse().unwrap()));
        Response::new(200).with_header("x-id", request.header("x-id").unwrap())
    };
    let configuration = json!({ "service": "service", "grpc": "echo", "queue": "shuffle/bell" });
    let proxy = proxy.configure(configuration).vm_id("shuffle").upstream(upstream).cluster("service", service).grpc("echo", echo).start().await;
    let (mut staying, mut gone) = (Vec::new(), 0);
    for id in 0..REQUESTS {
        let exchange = proxy.open(&Request::get("/").with_header("x-id", id.to_string())).await;
        staying.push((id, exchange));
        if id % 8 == 0 {
            proxy.advance(Duration::from_millis(3)).await;
        }
        // Some clients leave: now and then the one that came three before.
        if id % 10 == 9 {
            let (_, exchange) = staying.remove(staying.len() - 4);
            exchange.vanish().await;
            gone += 1;
        }
    }
    for (id, exchange) in staying {
        let response = exchange.response().await;
        assert_eq!(response.status(), 200, "{id}: {response:?}");
        response.expect_header("x-id", &id.to_string());
        assert_eq!(response.headers("x-step"), steps(id));
    }
    let served = proxy.upstream().requests().len() as u64;
    assert!((REQUESTS - gone..=REQUESTS).contains(&served), "{served} of {REQUESTS}, of which {gone} left");
}
