//! State, environment, log, clocks and memory of the cookbook.

use std::time::Duration;

use filters::cookbook::{clocks::Stamp, environment::Region, logging::Refusing, memory::Recent, state::Places};
use inproxy_test::{LogLevel, Proxy, Request, Response, json};

/// What a response says of the three places.
fn counts(response: &Response) -> Vec<u64> {
    response.header("x-counts").unwrap().split(' ').map(|count| count.parse().unwrap()).collect()
}

// ANCHOR: state
#[inproxy_test::test]
async fn workers_have_each_their_own_and_share_one(proxy: Proxy<Places>) {
    let slow = |_: &Request| Response::new(200).after(Duration::from_millis(100));
    let proxy = proxy.vm_id("state").workers(2).configure(json!({ "name": "one" })).upstream(slow).start().await;
    let both = [proxy.open(&Request::get("/")).await, proxy.open(&Request::get("/")).await];
    let mut of_all = Vec::new();
    for exchange in both {
        let counts = counts(&exchange.response().await);
        assert_eq!(counts[..2], [1, 1]);
        of_all.push(counts[2]);
    }
    of_all.sort_unstable();
    assert_eq!(of_all, [1, 2]);
}

#[inproxy_test::test]
async fn a_new_configuration_is_a_new_filter_in_the_old_vm(proxy: Proxy<Places>) {
    let mut proxy = proxy.vm_id("state-update").configure(json!({ "name": "one" })).start().await;
    assert_eq!(counts(&proxy.send(Request::get("/")).await), [1, 1, 1]);
    proxy.update(json!({ "name": "two" })).await.unwrap();
    assert_eq!(counts(&proxy.send(Request::get("/")).await), [1, 2, 2]);
}
// ANCHOR_END: state

#[inproxy_test::test]
async fn the_vm_has_a_region(proxy: Proxy<Region>) {
    let proxy = proxy.environment("REGION", "eu-1").start().await;
    proxy.send(Request::get("/")).await;
    proxy.upstream().request().expect_header("x-region", "eu-1");
}

#[inproxy_test::test]
async fn a_vm_without_a_region_is_refused(proxy: Proxy<Region>) {
    proxy.refused().await.expect_log("the VM has no variable REGION");
}

#[inproxy_test::test]
async fn what_is_refused_is_logged_with_its_path(proxy: Proxy<Refusing>) {
    let proxy = proxy.configure(json!({ "user": "mallory" })).start().await;
    assert_eq!(proxy.send(Request::get("/private").with_header("x-user", "mallory")).await.status(), 403);
    assert_eq!(proxy.send(Request::get("/").with_header("x-user", "alice")).await.status(), 200);
    proxy.expect_log("refused path=/private").await;
    let log = proxy.log();
    let refused: Vec<_> = log.iter().filter(|line| line.text.contains("refused")).collect();
    assert_eq!((refused.len(), refused[0].level), (1, LogLevel::Warn));
}

#[inproxy_test::test]
async fn requests_have_an_id_and_a_time(proxy: Proxy<Stamp>) {
    let proxy = proxy.upstream(|_| Response::new(200).after(Duration::from_millis(60))).start().await;
    for _ in 0..2 {
        let took: u64 = proxy.send(Request::get("/")).await.header("x-took-ms").unwrap().parse().unwrap();
        assert!((50..5000).contains(&took), "{took}");
    }
    let seen = proxy.upstream();
    let ids: Vec<_> = seen.requests().iter().map(|request| request.header("x-id").unwrap()).collect();
    assert!(ids[0] != ids[1] && ids.iter().all(|id| id.len() == 32), "{ids:?}");
    assert!(seen.requests()[0].header("x-at").unwrap().parse::<u64>().unwrap() > 1_700_000_000);
}

// ANCHOR: memory
#[inproxy_test::test]
async fn what_is_remembered_does_not_grow(proxy: Proxy<Recent>) {
    let proxy = proxy.start().await;
    let of = |client: usize| Request::get("/").with_header("x-client", client.to_string());
    for client in 0..1100 {
        proxy.send(of(client)).await;
    }
    let full = proxy.costs();
    for client in 1100..2200 {
        proxy.send(of(client)).await;
    }
    // Envoy does not tell what the module has.
    let grown = proxy.costs().zip(full).map_or(0, |(now, full)| now.since(&full).memory);
    assert_eq!(grown, 0);
    // The last is known, the first no more.
    for (client, known) in [(2199, "yes"), (0, "no")] {
        proxy.send(of(client)).await;
        proxy.upstream().requests().last().unwrap().expect_header("x-known", known);
    }
}
// ANCHOR_END: memory
