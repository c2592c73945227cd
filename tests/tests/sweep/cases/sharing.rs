//! What VMs share: data, counters, slots, queues, leases, and services.

use filters::{
    leading::{Leading, Queued},
    services::{Export, Fails, Listed, Refresh, Reports},
    shared::{AddMany, Board, Budget, Numbered},
};
use inproxy::__private::Registered;
use inproxy_test::{Proxy, Request, Response, json};

use crate::case::{Case, deny};

fn around<F: Registered>(proxy: Proxy<F>) -> Proxy<F> {
    proxy.vm_id("sweep").cluster("service", |_| Response::new(200).with_body("mallory"))
}

pub fn cases() -> Vec<Case> {
    let board = |name, path: &str| -> Case { deny::<Board>(name, json!({}), Request::get(path)).with(around).into() };
    let many = Request::get("/").with_header("x-times", "2").with_header("x-limit", "1");
    vec![
        deny::<Numbered>("shared data: a counter", json!({}), Request::get("/")).with(around).into(),
        deny::<Budget>(
            "shared data: slots",
            json!({ "limit": 2, "seconds": 60 }),
            Request::get("/").with_header("x-client", "a").with_header("x-now", "1"),
        )
        .with(around)
        .into(),
        deny::<AddMany>("shared data: counters and slots", json!({}), many).with(around).into(),
        board("shared data: read", "/get"),
        board("shared data: written", "/set/text"),
        board("shared data: created", "/create/text"),
        board("shared data: updated", "/append/text"),
        board("shared data: JSON", "/json/1"),
        board("queues: put in", "/enqueue/text"),
        board("queues: taken out", "/dequeue"),
        board("queues: found by name", "/resolve/sweep/board"),
        deny::<Queued>("queues: read by a task", json!({ "name": "sweep" }), Request::get("/")).with(around).waits(0, 50).into(),
        deny::<Leading>("leases", json!({ "service": "service", "period_ms": 20 }), Request::get("/")).with(around).waits(30, 30).into(),
        deny::<Listed>("services: what one has fetched", json!({}), Request::get("/").with_header("x-user", "alice"))
            .with(|proxy| around(proxy).then::<Refresh>(json!({ "lists": "service", "every_ms": 200 })))
            .waits(250, 0)
            .into(),
        deny::<Reports>("services: handed in", json!({}), Request::get("/"))
            .with(|proxy| around(proxy).then::<Export>(json!({ "collector": "service" })))
            .waits(0, 50)
            .into(),
        deny::<Fails>("services: one that fails", json!({ "times": 1 }), Request::get("/")).with(around).waits(1500, 0).into(),
    ]
}
