use std::time::Duration;

use filters::wakes::Gate;
use inproxy_test::{Proxy, Request, Response, json};

#[inproxy_test::test]
async fn a_stream_that_another_one_wakes_runs_and_its_calls_are_answered(proxy: Proxy<Gate>) {
    let proxy = proxy.configure(json!({ "authority": "authority" })).cluster("authority", |_| Response::new(200).with_body("fine")).start().await;
    for _ in 0..2 {
        let mut waiting = Vec::new();
        for _ in 0..3 {
            waiting.push(proxy.open(&Request::get("/wait")).await);
        }
        proxy.advance(Duration::from_millis(30)).await;
        assert_eq!(proxy.send(Request::get("/open")).await.status(), 200);
        for exchange in waiting {
            assert_eq!(exchange.response().await.status(), 200);
        }
    }
    let upstream = proxy.upstream();
    assert_eq!(upstream.requests().iter().filter(|request| request.header("x-answer") == Some("fine")).count(), 6);
}

#[inproxy_test::test]
async fn a_stream_that_is_gone_when_it_is_woken_is_left_alone(proxy: Proxy<Gate>) {
    let proxy = proxy.configure(json!({ "authority": "authority" })).cluster("authority", |_| Response::new(200)).start().await;
    let left = proxy.open(&Request::get("/wait")).await;
    proxy.advance(Duration::from_millis(20)).await;
    left.leave().await;
    for _ in 0..2 {
        assert_eq!(proxy.send(Request::get("/open")).await.status(), 200);
    }
    proxy.advance(Duration::from_millis(20)).await;
    assert!(proxy.service("authority").requests().is_empty());
}
