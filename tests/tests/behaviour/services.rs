//! Services of Envoy's bootstrap.

use std::time::Duration;

use filters::services::{Export, Fails, Listed, Refresh, Reports};
use inproxy_test::{Proxy, Request, Response, Running, json};

/// Lets time pass until a server has seen so many requests.
async fn until_asked(proxy: &Running, service: &str, times: usize) {
    for _ in 0..100 {
        if proxy.service(service).requests().len() >= times {
            return;
        }
        proxy.advance(Duration::from_millis(100)).await;
    }
    panic!("{service} was not asked {times} times");
}

#[inproxy_test::test]
async fn a_service_refreshes_what_the_filters_of_all_workers_look_at(proxy: Proxy<Listed>) {
    let proxy = proxy
        .vm_id("refresh")
        .workers(2)
        .then::<Refresh>(json!({ "lists": "lists", "every_ms": 200 }))
        .cluster("lists", |_| Response::new(200).with_body("mallory\neve"))
        .start()
        .await;
    until_asked(&proxy, "lists", 2).await;
    for (user, status) in [("alice", 200), ("eve", 403), ("bob", 200), ("mallory", 403)] {
        assert_eq!(proxy.send(Request::get("/").with_header("x-user", user)).await.status(), status);
    }
}

#[inproxy_test::test]
async fn a_service_sends_on_what_filters_hand_in(proxy: Proxy<Reports>) {
    let proxy = proxy.vm_id("export").then::<Export>(json!({ "collector": "collector" })).cluster("collector", |_| Response::new(200)).start().await;
    for path in ["/a", "/b", "/c"] {
        assert_eq!(proxy.send(Request::get(path)).await.status(), 200);
    }
    until_asked(&proxy, "collector", 3).await;
    let sent: Vec<_> = proxy.service("collector").requests().iter().map(|request| request.text().to_owned()).collect();
    assert_eq!(sent, ["/a", "/b", "/c"]);
}

#[inproxy_test::test]
async fn a_service_that_fails_runs_again_and_is_done_when_it_says_so(proxy: Proxy<Fails>) {
    let proxy = proxy.configure(json!({ "times": 2 })).workers(2).start().await;
    proxy.advance(Duration::from_secs(4)).await;
    proxy.expect_log("the service failed, and runs again in").await;
    proxy.expect_log("the service is done").await;
    // Once on the main thread, and not on the workers.
    assert_eq!(proxy.counter("service_runs").await, 3);
    proxy.advance(Duration::from_secs(2)).await;
    assert_eq!(proxy.counter("service_runs").await, 3);
}

#[inproxy_test::test]
async fn a_service_whose_configuration_is_wrong_is_refused(proxy: Proxy<Fails>) {
    proxy.configure(json!({ "times": "often" })).refused().await.expect_log("times: invalid type");
}

#[inproxy_test::test]
async fn requests_pass_beside_a_service(proxy: Proxy<Fails>) {
    let proxy = proxy.configure(json!({ "times": 0 })).start().await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 200);
}
