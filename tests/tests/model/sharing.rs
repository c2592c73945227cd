//! Shared data, queues, and the VMs that share them.

use std::time::Duration;

use inproxy_test::{LogLevel, Proxy, Request, Response};
use inproxy_tests::{Conversation, Probe, until};

const CALLS: Conversation = Conversation::new(
    r#"
    configure: get_shared k -> 1
    configure: set_shared k v 0 -> 0
    configure: register_queue q -> 0
    configure: get_shared k -> 0 "v"
    request_headers: get_shared absent -> 1
    request_headers: get_shared k -> 0 "v"
    request_headers: set_shared k w 999 -> 8
    request_headers: get_shared k -> 0 "v"
    request_headers: set_shared k w $last -> 0
    request_headers: set_shared new v 77 -> 0
    request_headers: set_shared new v 77 -> 8
    request_headers: set_shared empty - 0 -> 0
    request_headers: get_shared empty -> 0 ""
    request_headers: resolve_queue - absent -> 1
    request_headers: resolve_queue other q -> 1
    request_headers: resolve_queue vm q -> 0
    request_headers: enqueue $last one -> 0
    request_headers: enqueue 999 x -> 1
    request_headers: dequeue 999 -> 1
    queue_ready: dequeue 1 -> 0 "one"
    queue_ready: dequeue 2 -> 1
"#,
);

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn shared_data_and_queues_answer_as_envoys(proxy: Proxy<Probe>) {
    let proxy = proxy.configure_text(&CALLS.script()).vm_id("vm").start().await;
    proxy.send(Request::get("/a")).await;
    CALLS.expect(&proxy).await;
}

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn workers_share_data_and_the_last_who_registers_hears_of_messages(proxy: Proxy<Probe>) {
    let script = r"
        configure: register_queue q
        request_headers: get_shared seen
        request_headers: set_shared seen yes 0
        request_headers: resolve_queue - q
        request_headers: enqueue $last hello
        queue_ready: dequeue 1
    ";
    let proxy = proxy.configure_text(script).vm_id("vm").workers(2).upstream(|_| Response::new(200).after(Duration::from_millis(200))).start().await;
    let one = proxy.open(&Request::get("/")).await;
    // The workers of the real Envoy are threads.
    until(&proxy, |said| said.iter().any(|line| line.contains("set_shared"))).await;
    let other = proxy.open(&Request::get("/")).await;
    one.response().await;
    other.response().await;
    let heard = "queue_ready dequeue 1 -> 0 \"hello\"";
    let said = until(&proxy, |said| said.iter().filter(|line| line.contains(heard)).count() >= 2).await;
    let count = |text: &str| said.iter().filter(|line| line.contains(text)).count();
    assert_eq!((count("get_shared seen -> 1"), count("get_shared seen -> 0 \"yes\"")), (1, 1), "{said:#?}");
    // One VM hears of each message, once.
    assert_eq!(count(heard), 2, "{said:#?}");
}

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn the_main_thread_ticks_as_the_workers_do(proxy: Proxy<Probe>) {
    let script = "configure: set_tick_period 10\ntick: seen\ntick: set_tick_period 0";
    let proxy = proxy.configure_text(script).vm_id("vm").workers(2).start().await;
    let ticks = |said: &[String]| said.iter().filter(|line| *line == "tick []").count();
    assert_eq!(ticks(&until(&proxy, |said| ticks(said) >= 3).await), 3);
}

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn lines_of_the_log_have_their_levels(proxy: Proxy<Probe>) {
    let proxy = proxy.configure_text("request_headers: log 3 careful\nrequest_headers: log 4 wrong\nrequest_headers: log 6 x").start().await;
    proxy.send(Request::get("/")).await;
    let log = proxy.log();
    let level = |text: &str| log.iter().find(|line| line.text.contains(text)).map(|line| line.level);
    assert_eq!((level("careful"), level("wrong")), (Some(LogLevel::Warn), Some(LogLevel::Error)));
    assert!(log.iter().any(|line| line.text == "probe: request_headers log 6 x -> 2"));
}
