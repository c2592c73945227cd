use std::time::Duration;

use filters::leading::{Leading, Queued};
use inproxy_test::{Proxy, Request, Response, json};

#[inproxy_test::test]
async fn of_all_vms_one_has_the_lease(proxy: Proxy<Leading>) {
    let configuration = json!({ "service": "service", "period_ms": 100 });
    let proxy = proxy.configure(configuration).workers(2).vm_id("leading").cluster("service", |_| Response::new(200)).start().await;
    // Both workers are there, and so is the main thread.
    proxy.send(Request::get("/")).await;
    proxy.advance(Duration::from_millis(2000)).await;
    let asked = proxy.service("service").requests().len();
    assert!((12..=24).contains(&asked), "each of three VMs alone would ask about 20 times in that time: {asked}");
}

#[inproxy_test::test]
async fn messages_of_a_queue_are_read_when_they_come(proxy: Proxy<Queued>) {
    let proxy = proxy.configure(json!({ "name": "queued/paths" })).vm_id("queued").start().await;
    // Every VM begins to wait.
    proxy.advance(Duration::from_millis(20)).await;
    for (path, read) in [("/1", ""), ("/2", "/1"), ("/3", "/1 /2")] {
        let response = proxy.send(Request::get(path)).await;
        // The main thread has registered the queue too: whoever was last reads.
        let told = response.header("x-read").unwrap_or_default();
        assert!(told == read || told.is_empty(), "{told}");
        proxy.advance(Duration::from_millis(20)).await;
    }
}
