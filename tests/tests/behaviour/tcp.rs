//! Network filters.

use std::time::Duration;

use filters::tcp::{
    Ask, Count, Dialog, FailsAndAllows, FailsAndDenies, First, Greeting, Hooks, NoFlush, Rewrite, Shout, Shuffle, Sleepy, Stubborn, Tenants, Waiting,
};
use inproxy::abi::Status;
use inproxy_test::{HostKind, Proxy, Request, Response, TcpServer, json};

const LATE: Duration = Duration::from_millis(60);

// ANCHOR: first
#[inproxy_test::test]
async fn what_begins_as_it_should_passes(proxy: Proxy<First>) {
    let proxy = proxy.configure(json!({ "prefix": "hello" })).start().await;
    let mut client = proxy.connect().await;
    client.send("hel").await;
    assert!(client.is_silent().await && proxy.tcp_seen().iter().all(|seen| seen.bytes.is_empty()));
    client.send("lo, you").await;
    client.expect("hello, you").await;
    client.send("!").await;
    client.expect("!").await;
    client.finish().await;
    assert_eq!(client.read_to_end().await, b"");
    proxy.expect_tcp_seen("hello, you!", true).await;
}

#[inproxy_test::test]
async fn what_begins_otherwise_is_closed_before_the_upstream_has_a_byte(proxy: Proxy<First>) {
    let proxy = proxy.configure(json!({ "prefix": "hello" })).start().await;
    let mut client = proxy.connect().await;
    client.send("goodbye").await;
    assert_eq!(client.read_to_end().await, b"");
    proxy.expect_tcp_seen("", true).await;
}
// ANCHOR_END: first

#[inproxy_test::test]
async fn a_client_that_ends_too_early_is_closed(proxy: Proxy<First>) {
    let proxy = proxy.configure(json!({ "prefix": "hello" })).start().await;
    let mut client = proxy.connect().await;
    client.send("hel").await;
    client.finish().await;
    assert_eq!(client.read_to_end().await, b"");
    proxy.expect_log("the client ended after 3 bytes").await;
    proxy.expect_tcp_seen("", true).await;
}

#[inproxy_test::test]
async fn more_than_the_proxy_buffers_can_be_waited_for(proxy: Proxy<First>) {
    let prefix = "x".repeat(100_000);
    let proxy = proxy.configure(json!({ "prefix": prefix })).buffer_limit(1024).start().await;
    let mut client = proxy.connect().await;
    client.send(&prefix).await;
    assert_eq!(client.read(prefix.len()).await, prefix.as_bytes());
}

#[inproxy_test::test]
async fn an_allowed_client_gets_to_the_upstream(proxy: Proxy<Ask>) {
    let service = |request: &Request| Response::new(if request.path() == "/allowed/127.0.0.1" { 200 } else { 403 }).after(LATE);
    let proxy = proxy.configure(json!({ "service": "service" })).cluster("service", service).start().await;
    let mut client = proxy.connect().await;
    client.send("hello").await;
    client.expect("hello").await;
}

#[inproxy_test::test]
async fn of_a_refused_client_the_upstream_does_not_hear(proxy: Proxy<Ask>) {
    let service = |_: &Request| Response::new(403).after(LATE);
    let proxy = proxy.configure(json!({ "service": "service" })).cluster("service", service).start().await;
    let mut client = proxy.connect().await;
    client.send("hello").await;
    assert_eq!(client.read_to_end().await, b"");
    assert!(proxy.tcp_seen().is_empty());
    proxy.expect_log("its connection is closed").await;
}

#[inproxy_test::test]
async fn data_waits_for_a_call_and_goes_on_changed(proxy: Proxy<Tenants>) {
    let service = |_: &Request| Response::new(200).after(LATE);
    let proxy = proxy.configure(json!({ "service": "service" })).cluster("service", service).start().await;
    let mut client = proxy.connect().await;
    client.send("acme\nfirst").await;
    client.send(" second").await;
    assert_eq!(client.read(12).await, b"first second");
    proxy.service("service").request().expect_header("x-tenant", "acme");
    client.finish().await;
    assert_eq!(client.read_to_end().await, b"");
    proxy.expect_tcp_seen("first second", true).await;
}

#[inproxy_test::test]
async fn what_is_too_long_is_refused(proxy: Proxy<Tenants>) {
    let proxy = proxy.configure(json!({ "service": "service" })).cluster("service", |_| Response::new(200)).start().await;
    let mut client = proxy.connect().await;
    client.send("x".repeat(200)).await;
    assert_eq!(client.read_to_end().await, b"");
    proxy.expect_log("the client sent 128 bytes and more").await;
    assert!(proxy.service("service").requests().is_empty());
}

#[inproxy_test::test]
async fn an_end_that_came_while_data_was_held_goes_on_behind_it(proxy: Proxy<Tenants>) {
    let service = |_: &Request| Response::new(200).after(LATE);
    let proxy = proxy.configure(json!({ "service": "service" })).cluster("service", service).start().await;
    let mut client = proxy.connect().await;
    client.send("acme\nall").await;
    client.finish().await;
    assert_eq!(client.read_to_end().await, b"all");
    proxy.expect_tcp_seen("all", true).await;
}

#[inproxy_test::test]
async fn both_directions_are_read_at_the_same_time(proxy: Proxy<Count>) {
    let proxy = proxy.tcp_upstream(TcpServer::answering(|_| b"answer".to_vec()).greeting("hi").farewell("bye")).start().await;
    let mut client = proxy.connect().await;
    client.expect("hi").await;
    client.send("one").await;
    client.expect("answer").await;
    client.send("three").await;
    client.expect("answer").await;
    client.finish().await;
    assert_eq!(client.read_to_end().await, b"bye");
    proxy.expect_log("8 bytes there, 17 back").await;
    proxy.expect_tcp_seen("onethree", true).await;
}

#[inproxy_test::test]
async fn the_server_ends_first(proxy: Proxy<Count>) {
    let proxy = proxy.tcp_upstream(TcpServer::answering(|_| b"answer".to_vec()).ending_after(1)).start().await;
    let mut client = proxy.connect().await;
    client.send("one").await;
    assert_eq!(client.read_to_end().await, b"answer");
    client.send("more").await;
    proxy.expect_tcp_seen("onemore", false).await;
    client.finish().await;
    proxy.expect_log("7 bytes there, 6 back").await;
}

#[inproxy_test::test]
async fn pieces_are_changed_both_ways(proxy: Proxy<Rewrite>) {
    let proxy = proxy.configure(json!({})).start().await;
    let mut client = proxy.connect().await;
    client.send("a").await;
    client.expect("(<a>)").await;
    client.send("drop").await;
    assert!(client.is_silent().await);
    client.send("bc").await;
    client.expect("(<bc>)").await;
    client.finish().await;
    assert_eq!(client.read_to_end().await, b"");
    proxy.expect_tcp_seen("<a><bc>", true).await;
}

#[inproxy_test::test]
async fn a_piece_waits_and_what_comes_behind_it_does_not_overtake_it(proxy: Proxy<Rewrite>) {
    let proxy = proxy.configure(json!({ "wait_ms": 80 })).start().await;
    let mut client = proxy.connect().await;
    client.send("a").await;
    proxy.advance(Duration::from_millis(20)).await;
    client.send("b").await;
    client.send("c").await;
    client.expect("(<a>)(<bc>)").await;
    client.finish().await;
    assert_eq!(client.read_to_end().await, b"");
    proxy.expect_tcp_seen("<a><bc>", true).await;
}

#[inproxy_test::test]
async fn what_goes_by_is_mapped_also_at_its_end(proxy: Proxy<Shout>) {
    let proxy = proxy.tcp_upstream(TcpServer::echo().greeting("hi")).start().await;
    let mut client = proxy.connect().await;
    client.expect("HI").await;
    client.send("abc").await;
    client.expect("ABC").await;
    client.finish().await;
    assert_eq!(client.read_to_end().await, b"OVERout");
    proxy.expect_tcp_seen("ABCover", true).await;
}

#[inproxy_test::test]
async fn a_map_that_fails_closes(proxy: Proxy<Shout>) {
    let proxy = proxy.start().await;
    let mut client = proxy.connect().await;
    client.send("abc").await;
    client.expect("ABC").await;
    client.send("def!").await;
    assert_eq!(client.read_to_end().await, b"");
    proxy.expect_tcp_seen("ABC", true).await;
    proxy.expect_log("no need to shout").await;
}

#[inproxy_test::test]
async fn commands_are_read_whole(proxy: Proxy<NoFlush>) {
    let proxy = proxy.start().await;
    let mut client = proxy.connect().await;
    client.send("GET a\r\n").await;
    client.expect("GET a\r\n").await;
    client.send("FLU").await;
    assert!(client.is_silent().await);
    client.send("SHALL\r\n").await;
    assert_eq!(client.read_to_end().await, b"");
    proxy.expect_tcp_seen("GET a\r\n", true).await;
}

#[inproxy_test::test]
async fn questions_and_answers_take_turns(proxy: Proxy<Dialog>) {
    let proxy = proxy.start().await;
    let mut client = proxy.connect().await;
    for word in ["one", "two"] {
        client.send(word).await;
        client.expect(word).await;
    }
    client.finish().await;
    assert_eq!(client.read_to_end().await, b"");
    proxy.expect_log("two? two").await;
    proxy.expect_tcp_seen("onetwo", true).await;
}

#[inproxy_test::test]
async fn a_greeting_is_changed(proxy: Proxy<Greeting>) {
    let proxy = proxy.tcp_upstream(TcpServer::echo().greeting("hello")).start().await;
    let mut client = proxy.connect().await;
    client.expect("welcome").await;
    client.send("hello").await;
    client.expect("hello").await;
}

#[inproxy_test::test]
async fn a_greeting_is_refused(proxy: Proxy<Greeting>) {
    let proxy = proxy.tcp_upstream(TcpServer::echo().greeting("go away")).start().await;
    let mut client = proxy.connect().await;
    assert_eq!(client.read_to_end().await, b"");
    proxy.expect_tcp_seen("", true).await;
}

#[inproxy_test::test]
async fn an_error_closes(proxy: Proxy<FailsAndDenies>) {
    let proxy = proxy.start().await;
    let mut client = proxy.connect().await;
    client.send("abc").await;
    assert_eq!(client.read_to_end().await, b"");
    proxy.expect_log("the filter failed, and its connection is closed: no 3").await;
    proxy.expect_tcp_seen("", true).await;
}

#[inproxy_test::test]
async fn an_error_does_not_matter_if_it_is_said_so(proxy: Proxy<FailsAndAllows>) {
    let proxy = proxy.start().await;
    let mut client = proxy.connect().await;
    client.send("a").await;
    client.send("b").await;
    client.expect("ab").await;
    client.send("c").await;
    client.expect("c").await;
    proxy.expect_log("the connection goes on: it does not matter").await;
}

#[inproxy_test::test]
async fn a_client_that_leaves_drops_the_future(proxy: Proxy<Waiting>) {
    let proxy = proxy.start().await;
    let idle = proxy.connect().await;
    proxy.advance(Duration::from_millis(20)).await;
    idle.leave().await;
    proxy.expect_log("gone").await;
    let mut client = proxy.connect().await;
    client.send("abc").await;
    proxy.advance(Duration::from_millis(20)).await;
    client.leave().await;
    let gone = || proxy.log().iter().filter(|line| line.text == "gone").count();
    for _ in 0..100 {
        if gone() < 2 {
            proxy.advance(Duration::from_millis(10)).await;
        }
    }
    assert_eq!(gone(), 2);
}

#[inproxy_test::test]
async fn time_passes_before_and_after_the_first_bytes(proxy: Proxy<Sleepy>) {
    let proxy = proxy.tcp_upstream(TcpServer::echo().greeting("hi")).start().await;
    let mut client = proxy.connect().await;
    client.send("abc").await;
    client.expect("hi").await;
    client.expect("abc").await;
    proxy.expect_log("3 bytes have waited").await;
}

#[inproxy_test::test]
async fn a_connection_without_a_server_is_closed(proxy: Proxy<Waiting>) {
    let proxy = proxy.cluster_without_endpoints("upstream").start().await;
    assert_eq!(proxy.connect().await.read_to_end().await, b"");
    proxy.expect_log("gone").await;
}

#[inproxy_test::test]
async fn many_connections_at_once(proxy: Proxy<Rewrite>) {
    let proxy = proxy.configure(json!({ "wait_ms": 5 })).start().await;
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(proxy.connect().await);
    }
    for round in 0..3 {
        for (at, client) in clients.iter_mut().enumerate() {
            client.send(format!("{round}.{at}")).await;
        }
        for (at, client) in clients.iter_mut().enumerate() {
            client.expect(&format!("(<{round}.{at}>)")).await;
        }
    }
}

#[inproxy_test::test]
async fn callbacks_come_in_their_order(proxy: Proxy<Hooks>) {
    let service = |_: &Request| Response::new(200).after(LATE);
    let proxy = proxy.configure(json!({ "service": "service" })).cluster("service", service).start().await;
    let mut client = proxy.connect().await;
    client.send("abc").await;
    client.expect("abc.").await;
    client.finish().await;
    assert_eq!(client.read_to_end().await, b"");
    proxy.expect_log("over Some(4)").await;
    // What another test's filter has left behind in the same Envoy may speak in between.
    let own = |text: &String| ["new ", "down ", "answered ", "up ", "over "].iter().any(|word| text.starts_with(word));
    let said: Vec<_> = proxy.log().into_iter().map(|line| line.text).filter(own).collect();
    assert_eq!(
        said,
        [
            "new true",
            "down 3 false",
            "answered true",
            "up 3 false",
            "down 0 true",
            "up 0 true",
            "up closed Unknown",
            "down closed false",
            "over Some(4)"
        ]
    );
}

#[inproxy_test::test]
async fn a_callback_closes(proxy: Proxy<Hooks>) {
    let proxy = proxy.configure(json!({ "service": "service" })).cluster("service", |_| Response::new(200)).start().await;
    let mut client = proxy.connect().await;
    client.send("close").await;
    assert_eq!(client.read_to_end().await, b"");
    proxy.expect_tcp_seen("", true).await;
}

inproxy_tests::module_type!(
    /// A network filter where an HTTP filter belongs.
    AmongHttpFilters, "tcp_first", concat!(env!("CARGO_MANIFEST_DIR"), "/filters")
);

#[inproxy_test::test]
async fn a_network_filter_among_http_filters_refuses_requests(proxy: Proxy<AmongHttpFilters>) {
    let proxy = proxy.configure(json!({ "prefix": "hello" })).start().await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 500);
    proxy.expect_log("a request came to what is no HTTP filter").await;
}

/// Nothing is lost, doubled or overtaken, however the client sends and the filter reads.
#[inproxy_test::test]
async fn bytes_keep_their_order(proxy: Proxy<Shuffle>) {
    let connections = if proxy.host().0 == HostKind::Envoy { 40 } else { 200 };
    let proxy = proxy.configure(json!({})).start().await;
    let ended_early = || proxy.log().iter().filter(|line| line.text.contains("the client ended after")).count();
    for connection in 0..connections {
        let before = ended_early();
        let mut client = proxy.connect().await;
        let mut sent = String::new();
        let mut random = connection * 7919 + 1;
        for number in 0..25 {
            random = (random * 1_103_515_245 + 12_345) % (1 << 31);
            let piece = format!("{number},").repeat(random % 4 + 1);
            client.send(&piece).await;
            sent.push_str(&piece);
            if random % 3 == 0 {
                proxy.advance(Duration::from_millis(random as u64 % 4)).await;
            }
        }
        client.finish().await;
        let back = client.read_to_end().await;
        if back != sent.as_bytes() {
            // A filter that waits for more than comes refuses the rest.
            assert!(ended_early() > before && sent.as_bytes().starts_with(&back), "{connection}: {}", String::from_utf8_lossy(&back));
        }
    }
}

#[inproxy_test::test]
async fn what_was_too_long_is_there_when_it_is_read_again(proxy: Proxy<Stubborn>) {
    let proxy = proxy.configure(json!({})).start().await;
    let mut client = proxy.connect().await;
    client.send("hello").await;
    client.expect("<hello>").await;
    proxy.expect_log("the client sent 4 bytes and more").await;
}

#[inproxy_test::test(only(native, wasm), because = "the real Envoy does not refuse calls on demand")]
async fn what_could_not_go_on_is_not_lost_when_that_is_tried_again(proxy: Proxy<Stubborn>) {
    let (host, name) = proxy.host();
    // It is taken out of the buffer, and put back.
    for nth in 1..=2 {
        let proxy = Proxy::<Stubborn>::on(host, name).configure(json!({})).refuse_nth("proxy_set_buffer_bytes", nth, Status::INTERNAL_FAILURE);
        let proxy = proxy.start().await;
        let mut client = proxy.connect().await;
        client.send("hello").await;
        client.expect("<hello>").await;
        client.finish().await;
        assert_eq!(client.read_to_end().await, b"");
        proxy.expect_tcp_seen("<hello>", true).await;
        proxy.expect_log("the proxy answered internal failure").await;
    }
}

#[inproxy_test::test(only(native, wasm), because = "the real Envoy does not refuse calls on demand")]
async fn a_connection_that_cannot_be_resumed_when_it_is_first_read_is_closed(proxy: Proxy<Sleepy>) {
    let proxy = proxy.configure(json!({})).refuse_nth("proxy_continue_stream", 1, Status::INTERNAL_FAILURE).start().await;
    let mut client = proxy.connect().await;
    client.send("hello").await;
    assert_eq!(client.read_to_end().await, b"");
    proxy.expect_log("a connection cannot go on, and is closed").await;
    assert!(!proxy.log().iter().any(|line| line.text.contains("panicked")));
}
