//! TCP connections: which callbacks there are, in which order, and what they can reach.

use std::time::Duration;

use inproxy_test::{Proxy, Response, Running, TcpServer};
use inproxy_tests::{Conversation, TcpProbe, until};

const SEEN: &str = "new_connection: seen\ndownstream_data: seen\nupstream_data: seen\ndownstream_close: seen\nupstream_close: seen\nlog: seen\ndone: seen\ndelete: seen\n";

/// A script of its own for each test: one that Envoy has had before does not configure the probe again, whose globals tests share.
fn script(of: &str, more: &str) -> String {
    format!("{SEEN}none: {of}\n{more}")
}

/// What the probe has logged, without the ids of contexts, which are each proxy's own.
fn without_ids(said: &[String]) -> Vec<String> {
    let without = |line: &String| match line.split_once(" [") {
        Some(("new_connection", _)) => "new_connection".to_owned(),
        Some((name @ ("downstream_data" | "upstream_data"), rest)) => format!("{name} [{}", rest.split_once(", ").map_or(rest, |(_, rest)| rest)),
        _ => line.clone(),
    };
    said.iter().map(without).collect()
}

/// How many bytes of the client the probe was shown, each time.
fn sizes(said: &[String]) -> Vec<usize> {
    let size = |line: &String| line.strip_prefix("downstream_data [")?.split(", ").next()?.parse().ok();
    without_ids(said).iter().filter_map(size).collect()
}

/// Fails unless the probe has logged these lines, and no others, in this order.
async fn expect_callbacks(proxy: &Running, expected: &str) {
    let expected: Vec<_> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let said = without_ids(&until(proxy, |said| said.len() >= expected.len()).await);
    assert!(said == expected, "the probe has logged\n{}\n\nand not\n{}", said.join("\n"), expected.join("\n"));
}

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn a_connection_that_the_client_ends(proxy: Proxy<TcpProbe>) {
    let proxy = proxy.configure_text(SEEN).start().await;
    let mut client = proxy.connect().await;
    client.send("abc").await;
    client.expect("abc").await;
    client.finish().await;
    assert_eq!(client.read_to_end().await, b"");
    let expected = "
        new_connection
        downstream_data [3, 0]
        upstream_data [3, 0]
        downstream_data [0, 1]
        upstream_data [0, 1]
        upstream_close [0]
        downstream_close [1]
        done []
        log []
        delete []";
    expect_callbacks(&proxy, expected).await;
}

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn a_connection_that_the_client_breaks_off(proxy: Proxy<TcpProbe>) {
    let proxy = proxy.configure_text(&script("broken off", "downstream_data: return 1")).start().await;
    let mut client = proxy.connect().await;
    client.send("abc").await;
    proxy.advance(Duration::from_millis(30)).await;
    client.leave().await;
    let expected = "
        new_connection
        downstream_data [3, 0]
        downstream_close [2]
        done []
        log []
        delete []";
    expect_callbacks(&proxy, expected).await;
}

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn a_connection_that_waits_is_not_read_from(proxy: Proxy<TcpProbe>) {
    let script = SEEN.to_owned()
        + "new_connection: return 1\nconfigure: set_tick_period 100\ntick: set_context $stream\ntick: continue_stream 2\ntick: set_tick_period 0\n";
    let proxy = proxy.configure_text(&script).tcp_upstream(TcpServer::echo().greeting("hi")).start().await;
    let mut client = proxy.connect().await;
    client.send("abc").await;
    client.finish().await;
    assert!(proxy.tcp_seen().is_empty());
    assert_eq!(client.read_to_end().await, b"hiabc");
    let said: Vec<_> = until(&proxy, |said| said.iter().any(|line| line.starts_with("delete"))).await;
    let said: Vec<_> = without_ids(&said).into_iter().filter(|line| line.starts_with("downstream") || line.starts_with("new")).collect();
    assert_eq!(said, ["new_connection", "downstream_data [3, 1]", "downstream_close [1]"]);
}

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn what_the_client_sends_is_shown_again_while_it_is_held(proxy: Proxy<TcpProbe>) {
    let proxy = proxy.configure_text(&script("shown again", "downstream_data: return 1")).start().await;
    let mut client = proxy.connect().await;
    for bytes in ["abc", "de"] {
        client.send(bytes).await;
        proxy.advance(Duration::from_millis(30)).await;
    }
    client.finish().await;
    let expected = "
        new_connection
        downstream_data [3, 0]
        downstream_data [5, 0]
        downstream_data [5, 1]";
    expect_callbacks(&proxy, expected).await;
    assert_eq!(proxy.tcp_seen()[0].bytes, b"");
}

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn what_the_server_sends_and_is_held_is_lost_at_its_end(proxy: Proxy<TcpProbe>) {
    let proxy = proxy.configure_text(&(SEEN.to_owned() + "upstream_data: return 1")).start().await;
    let mut client = proxy.connect().await;
    for bytes in ["abc", "de"] {
        client.send(bytes).await;
        proxy.advance(Duration::from_millis(30)).await;
    }
    client.finish().await;
    assert_eq!(client.read_to_end().await, b"");
    let expected = "
        new_connection
        downstream_data [3, 0]
        upstream_data [3, 0]
        downstream_data [2, 0]
        upstream_data [5, 0]
        downstream_data [0, 1]
        upstream_data [5, 1]
        upstream_close [0]
        downstream_close [1]
        done []
        log []
        delete []";
    expect_callbacks(&proxy, expected).await;
}

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn no_more_is_read_than_the_buffer_has(proxy: Proxy<TcpProbe>) {
    let proxy = proxy.configure_text(&script("limited", "downstream_data: return 1")).buffer_limit(1024).start().await;
    let mut client = proxy.connect().await;
    client.send("x".repeat(50_000)).await;
    proxy.advance(Duration::from_millis(50)).await;
    // How much one read brings is the network's affair.
    let sizes = sizes(&until(&proxy, |said| said.len() >= 2).await);
    assert!(matches!(sizes[..], [1024..=16384]), "{sizes:?}");
}

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn a_buffer_that_is_emptied_is_filled_again(proxy: Proxy<TcpProbe>) {
    let script = SEEN.to_owned() + "downstream_data: return 1\ndownstream_data: set_buffer 2 0 99999 -";
    let proxy = proxy.configure_text(&script).buffer_limit(1024).start().await;
    let mut client = proxy.connect().await;
    client.send("x".repeat(20_000)).await;
    let all = |said: &[String]| sizes(said).iter().sum::<usize>() == 20_000;
    assert!(all(&until(&proxy, all).await));
}

const REACH: Conversation = Conversation::new(
    r#"
    context_create: get_property request\0protocol -> 1
    context_create: get_property request\0size -> 0 "\x00\x00\x00\x00\x00\x00\x00\x00"
    new_connection: get_buffer 2 0 9 -> 0 ""
    new_connection: set_buffer 2 0 0 x -> 2
    new_connection: get_header 0 :path -> 2
    new_connection: get_map 0 -> 0
    new_connection: add_header 0 a b -> 2
    new_connection: reply 403 - - -1 -> 0
    new_connection: continue_stream 0 -> 0
    new_connection: close_stream 0 -> 0
    new_connection: continue_stream 3 -> 12
    new_connection: get_property upstream\0address -> 1
    new_connection: get_property xds\0cluster_name -> 1
    new_connection: get_property xds\0route_name -> 1
    new_connection: get_property xds\0filter_chain_name -> 0 ""
    new_connection: set_property k v -> 0
    downstream_data: get_buffer 2 0 99 -> 0 "abc"
    downstream_data: get_buffer 2 1 1 -> 0 "b"
    downstream_data: set_buffer 2 0 0 > -> 0
    downstream_data: set_buffer 2 99 0 < -> 0
    downstream_data: set_buffer 2 4294967295 0 ! -> 0
    downstream_data: set_buffer 2 1 0 x -> 2
    downstream_data: get_buffer 3 0 99 -> 0 ""
    downstream_data: set_buffer 3 0 0 x -> 2
    downstream_data: get_property k -> 0 "v"
    downstream_data: get_property xds\0cluster_name -> 0 "upstream"
    upstream_data: get_buffer 2 0 99 -> 0 ""
    upstream_data: set_buffer 2 0 0 x -> 2
    upstream_data: get_buffer 3 0 99 -> 0 ">abc<!"
    upstream_data: set_buffer 3 0 1 ( -> 0
    upstream_data: set_buffer 3 99 0 ) -> 0
    log: get_header 0 :path -> 2
    log: get_buffer 2 0 9 -> 0 ""
    log: get_property request\0duration -> 1
    log: get_property request\0size -> 0 "\x03\x00\x00\x00\x00\x00\x00\x00"
    log: get_property response\0size -> 0 "\x07\x00\x00\x00\x00\x00\x00\x00"
"#,
);

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn buffers_and_attributes_are_there_in_their_phases(proxy: Proxy<TcpProbe>) {
    let proxy = proxy.configure_text(&REACH.script()).start().await;
    let mut client = proxy.connect().await;
    client.send("abc").await;
    client.expect("(abc<!)").await;
    client.leave().await;
    REACH.expect(&proxy).await;
}

const CALL: Conversation = Conversation::new(
    r#"
    downstream_data: http_call side 1000 - :method=GET :path=/ :authority=a -> 0
    http_call_response: set_buffer 2 0 0 x -> 2
    http_call_response: set_context $stream -> 0
    http_call_response: get_buffer 2 0 99 -> 0 "abc"
    http_call_response: set_buffer 2 0 1 ZZ -> 0
    http_call_response: continue_stream 2 -> 0
"#,
);

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn what_is_held_is_changed_and_goes_on_from_a_call_out(proxy: Proxy<TcpProbe>) {
    let script = CALL.script() + "downstream_data: return 1";
    let side = |_: &inproxy_test::Request| Response::new(200).after(Duration::from_millis(30));
    let proxy = proxy.cluster("side", side).configure_text(&script).start().await;
    let mut client = proxy.connect().await;
    client.send("abc").await;
    client.expect("ZZbc").await;
    CALL.expect(&proxy).await;
}

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn a_callback_that_pauses_and_resumes_passes_its_data_once(proxy: Proxy<TcpProbe>) {
    let proxy = proxy.configure_text("downstream_data: continue_stream 2\ndownstream_data: return 1").start().await;
    let mut client = proxy.connect().await;
    client.send("abc").await;
    client.expect("abc").await;
    client.finish().await;
    assert_eq!(client.read_to_end().await, b"");
    proxy.expect_tcp_seen("abc", true).await;
}

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn what_the_server_has_sent_does_not_pass_a_callback_that_closes(proxy: Proxy<TcpProbe>) {
    let proxy = proxy.configure_text("upstream_data: close_stream 3").start().await;
    let mut client = proxy.connect().await;
    client.send("abc").await;
    assert_eq!(client.read_to_end().await, b"");
    proxy.expect_tcp_seen("abc", true).await;
}

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn a_trap_closes_the_connection(proxy: Proxy<TcpProbe>) {
    let proxy = proxy.configure_text("downstream_data: trap").start().await;
    let mut client = proxy.connect().await;
    client.send("abc").await;
    assert_eq!(client.read_to_end().await, b"");
    proxy.expect_tcp_seen("", true).await;
    // The VM is dead: who comes now is turned away.
    assert_eq!(proxy.connect().await.read_to_end().await, b"");
    // Until there is another.
    proxy.advance(Duration::from_millis(2100)).await;
    let mut client = proxy.connect().await;
    proxy.advance(Duration::from_millis(50)).await;
    assert!(client.is_silent().await);
}
