//! The VMs of a proxy: a canary, the main thread's, and one for each worker.

use std::time::Duration;

use filters::workers::PerVm;
use inproxy_test::{Proxy, Request, Response};

// ANCHOR: workers
#[inproxy_test::test]
async fn each_worker_has_a_vm_of_its_own(proxy: Proxy<PerVm>) {
    let proxy = proxy.workers(2).upstream(|_| Response::new(200).after(Duration::from_millis(100))).start().await;
    let (one, other) = (proxy.open(&Request::get("/")).await, proxy.open(&Request::get("/")).await);
    for response in [one.response().await, other.response().await] {
        response.expect(&Response::new(200).with_header("x-request-of-vm", "1"));
    }
}
// ANCHOR_END: workers

#[inproxy_test::test]
async fn one_worker_has_one_vm(proxy: Proxy<PerVm>) {
    let proxy = proxy.start().await;
    for nth in ["1", "2"] {
        proxy.send(Request::get("/")).await.expect_header("x-request-of-vm", nth);
    }
}

#[inproxy_test::test]
async fn a_canary_and_the_main_thread_are_configured_too(proxy: Proxy<PerVm>) {
    let proxy = proxy.workers(2).start().await;
    assert_eq!(proxy.counter("per_vm_configured").await, 4);
}
