use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use filters::starting::{Prepared, Together};
use inproxy_test::{Proxy, Request, Response, json};

#[inproxy_test::test]
async fn requests_wait_for_a_filter_that_is_being_made(proxy: Proxy<Prepared>) {
    let slow = |_: &Request| Response::new(200).with_body("hello").after(Duration::from_millis(300));
    let proxy = proxy.configure(json!({ "source": "source", "test": "waits" })).cluster("source", slow).start().await;
    let mut exchanges = Vec::new();
    for _ in 0..3 {
        exchanges.push(proxy.open(&Request::get("/")).await);
    }
    for exchange in exchanges {
        exchange.response().await.expect_header("x-said", "hello");
    }
    proxy.send(Request::get("/")).await.expect_header("x-said", "hello");
}

#[inproxy_test::test]
async fn a_filter_that_is_not_made_in_time_is_not_available(proxy: Proxy<Prepared>) {
    let never = |_: &Request| Response::new(200).after(Duration::from_secs(8));
    let proxy = proxy.configure(json!({ "source": "source", "test": "never" })).cluster("source", never).start().await;
    let response = proxy.send(Request::post("/").with_body("not for the upstream")).await;
    assert_eq!(response.status(), 503);
    assert!(proxy.upstream().requests().is_empty());
    proxy.expect_log("the filter is not ready").await;
}

#[inproxy_test::test]
async fn a_filter_that_cannot_be_made_is_made_again(proxy: Proxy<Prepared>) {
    let asked = AtomicUsize::new(0);
    // Each VM asks for itself.
    let fails_first = move |_: &Request| match asked.fetch_add(1, Ordering::SeqCst) < 2 {
        true => Response::new(500),
        false => Response::new(200).with_body("at last"),
    };
    let proxy = proxy.configure(json!({ "source": "source", "test": "again" })).cluster("source", fails_first).start().await;
    proxy.send(Request::get("/")).await.expect_header("x-said", "at last");
    proxy.expect_log("the filter is not ready, and is made again in ").await;
    proxy.expect_log("s: cluster \"source\" answered with status 500").await;
}

#[inproxy_test::test]
async fn a_configuration_that_cannot_be_read_is_refused_at_once(proxy: Proxy<Prepared>) {
    let refusal = proxy.configure(json!({ "sauce": "source" })).try_start().await.unwrap_err();
    refusal.expect_log("unknown field `sauce`");
}

#[inproxy_test::test]
async fn what_many_ask_for_at_the_same_time_is_asked_once(proxy: Proxy<Together>) {
    const REQUESTS: usize = 200;
    let slow = |request: &Request| Response::new(200).with_body(format!("answer to {}", request.path())).after(Duration::from_millis(400));
    let proxy = proxy.configure(json!({ "service": "service" })).cluster("service", slow).start().await;
    let mut exchanges = Vec::new();
    for at in 0..REQUESTS {
        exchanges.push(proxy.open(&Request::get(if at % 4 < 2 { "/one" } else { "/two" })).await);
    }
    // Half of them leave, among them those that asked first.
    let mut staying = Vec::new();
    for (at, exchange) in exchanges.into_iter().enumerate() {
        if at % 2 == 0 {
            exchange.vanish().await;
        } else {
            staying.push((at, exchange));
        }
    }
    for (at, exchange) in staying {
        exchange.response().await.expect_header("x-answer", if at % 4 < 2 { "answer to /one" } else { "answer to /two" });
    }
    assert_eq!(proxy.service("service").requests().len(), 2);
    // It is not kept.
    proxy.send(Request::get("/one")).await.expect_header("x-answer", "answer to /one");
    assert_eq!(proxy.service("service").requests().len(), 3);
}

#[inproxy_test::test]
async fn a_failure_is_everybodys_who_asked(proxy: Proxy<Together>) {
    let failing = |_: &Request| Response::new(500).after(Duration::from_millis(50));
    let proxy = proxy.configure(json!({ "service": "service" })).cluster("service", failing).start().await;
    let (one, other) = (proxy.open(&Request::get("/")).await, proxy.open(&Request::get("/")).await);
    assert_eq!((one.response().await.status(), other.response().await.status()), (500, 500));
    assert_eq!(proxy.service("service").requests().len(), 1);
}
