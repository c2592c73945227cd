//! What all workers share: values, tables and queues.

use std::time::Duration;

use filters::shared::{AddMany, Board, Budget, Numbered};
use inproxy::abi::Status;
use inproxy_test::{Proxy, Request, Response, Running, json};

// ANCHOR: numbered
#[inproxy_test::test]
async fn requests_are_numbered_over_all_workers(proxy: Proxy<Numbered>) {
    let proxy = proxy.vm_id("numbered").workers(2).upstream(|_| Response::new(200).after(Duration::from_millis(100))).start().await;
    // At the same time: each on a worker of its own.
    let (one, other) = (proxy.open(&Request::get("/")).await, proxy.open(&Request::get("/")).await);
    let mut numbers = [one.response().await, other.response().await].map(|response| response.header("x-number").unwrap().to_owned());
    numbers.sort();
    assert_eq!(numbers, ["1", "2"]);
}
// ANCHOR_END: numbered

#[inproxy_test::test]
async fn of_what_two_workers_add_at_the_same_time_nothing_is_lost(proxy: Proxy<AddMany>) {
    let proxy = proxy.vm_id("add_many").workers(2).start().await;
    let (requests, times) = (64, 20);
    let mut exchanges = Vec::new();
    for _ in 0..requests {
        exchanges.push(proxy.open(&Request::get("/").with_header("x-times", times.to_string())).await);
    }
    for exchange in exchanges {
        assert_eq!(exchange.response().await.status(), 200);
    }
    let last = proxy.send(Request::get("/")).await;
    let all = (requests * times).to_string();
    last.expect_header("x-one", &all);
    last.expect_header("x-of-table", &all);
}

fn budget(limit: u64, seconds: u64) -> serde_json::Value {
    json!({ "limit": limit, "seconds": seconds })
}

async fn statuses_of(proxy: &Running, requests: impl IntoIterator<Item = Request>) -> Vec<u16> {
    let mut exchanges = Vec::new();
    for request in requests {
        exchanges.push(proxy.open(&request).await);
    }
    let mut statuses = Vec::new();
    for exchange in exchanges {
        statuses.push(exchange.response().await.status());
    }
    statuses
}

fn of(client: &str, now: u64) -> Request {
    Request::get("/").with_header("x-client", client).with_header("x-now", now.to_string())
}

#[inproxy_test::test]
async fn a_budget_of_16_grants_16_of_64_requests(proxy: Proxy<Budget>) {
    let proxy = proxy.vm_id("budget").configure(budget(16, 60)).workers(2).start().await;
    let statuses = statuses_of(&proxy, (0..64).map(|_| of("alice", 1))).await;
    let count = |status| statuses.iter().filter(|other| **other == status).count();
    assert_eq!((count(200), count(429)), (16, 48), "{statuses:?}");
    assert_eq!(proxy.upstream().requests().len(), 16);
}

#[inproxy_test::test]
async fn each_client_has_its_own_budget_until_the_time_is_over(proxy: Proxy<Budget>) {
    let proxy = proxy.vm_id("budget").configure(budget(1, 60)).workers(2).start().await;
    for (client, now, status) in [("alice", 0, 200), ("alice", 1, 429), ("bob", 1, 200), ("alice", 59, 429), ("alice", 60, 200), ("bob", 60, 429)] {
        assert_eq!(proxy.send(of(client, now)).await.status(), status, "{client} at {now}");
    }
}

#[inproxy_test::test]
async fn a_client_whose_slot_is_full_takes_nobodys_budget(proxy: Proxy<Budget>) {
    let config = json!({ "limit": 1, "seconds": 60, "slots": 1, "ways": 2 });
    let proxy = proxy.vm_id("budget").configure(config).start().await;
    for (client, now, status) in
        [("a", 0, 200), ("b", 0, 200), ("c", 0, 503), ("a", 0, 429), ("c", 59, 503), ("b", 59, 429), ("c", 60, 200), ("a", 60, 200), ("b", 60, 503)]
    {
        assert_eq!(proxy.send(of(client, now)).await.status(), status, "{client} at {now}");
    }
}

#[inproxy_test::test]
async fn values_are_shared_by_all_workers(proxy: Proxy<Board>) {
    let proxy = proxy.vm_id("board").workers(2).start().await;
    for (path, answer) in [
        ("/get", "None"),
        ("/append/a", "a"),
        ("/append/b", "ab"),
        ("/create/x", "false"),
        ("/set/", "()"),
        ("/get", "Some(\"\")"),
        ("/create/x", "false"),
        ("/append/c", "c"),
        ("/json/1", "[1]"),
        ("/json/2", "[1, 2]"),
    ] {
        assert_eq!(proxy.send(Request::get(path)).await.text(), answer, "{path}");
    }
}

#[inproxy_test::test]
async fn of_all_vms_one_creates_a_value(proxy: Proxy<Board>) {
    // Four are configured: the canary, the main thread, two workers.
    let proxy = proxy.vm_id("board").workers(2).start().await;
    assert_eq!(proxy.counter("board.created").await, 1);
    statuses_of(&proxy, (0..32).map(|_| Request::get("/create/x"))).await;
    assert_eq!(proxy.counter("board.created").await, 2);
}

#[inproxy_test::test]
async fn messages_go_from_one_worker_to_another(proxy: Proxy<Board>) {
    let proxy = proxy.vm_id("board").workers(2).start().await;
    for (path, answer) in [
        ("/dequeue", "nothing"),
        ("/enqueue/one", "()"),
        ("/enqueue/", "()"),
        ("/dequeue", "one"),
        ("/dequeue", ""),
        ("/dequeue", "nothing"),
        ("/resolve//board", "true"),
        ("/resolve/board/board", "true"),
        ("/resolve//other", "false"),
        ("/resolve/other/board", "false"),
    ] {
        assert_eq!(proxy.send(Request::get(path)).await.text(), answer, "{path}");
    }
    // Each is taken once.
    statuses_of(&proxy, (0..32).map(|_| Request::get("/enqueue/x"))).await;
    let mut taken = 0;
    while proxy.send(Request::get("/dequeue")).await.text() == "x" {
        taken += 1;
    }
    assert_eq!(taken, 32);
}

#[inproxy_test::test(only(native, wasm), because = "the real Envoy does not refuse calls on demand")]
async fn a_limit_that_cannot_be_read_lets_nobody_pass(proxy: Proxy<Budget>) {
    let (host, name) = proxy.host();
    for call in ["proxy_get_shared_data", "proxy_set_shared_data"] {
        for status in (2..=13).map(Status::from_raw) {
            let proxy = Proxy::<Budget>::on(host, name).configure(budget(1, 60)).refuse(call, status).start().await;
            assert_eq!(proxy.send(of("alice", 0)).await.status(), 500, "{call} answers {status}");
            assert!(proxy.upstream().requests().is_empty());
        }
    }
    // As if another worker were always first.
    let proxy = Proxy::<Budget>::on(host, name).configure(budget(1, 60)).refuse("proxy_set_shared_data", Status::CAS_MISMATCH).start().await;
    assert_eq!(proxy.send(of("alice", 0)).await.status(), 500);
    proxy.expect_log("at each of 64 attempts another worker was first").await;
}

#[inproxy_test::test(only(native, wasm), because = "the real Envoy does not count calls")]
async fn a_counter_costs_two_calls(proxy: Proxy<Numbered>) {
    let proxy = proxy.start().await;
    proxy.send(Request::get("/")).await;
    let before = proxy.costs().unwrap();
    proxy.send(Request::get("/")).await.expect_header("x-number", "2");
    let calls = proxy.costs().unwrap().since(&before).host_calls;
    assert_eq!((calls["proxy_get_shared_data"], calls["proxy_set_shared_data"]), (1, 1), "{calls:?}");
}
