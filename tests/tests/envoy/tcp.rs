//! What a chain of network filters shares.

use std::time::Duration;

use inproxy_envoy::{Cluster, Module, Source, TcpListener};
use inproxy_tests::{module, throw_away};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener as Server, TcpStream},
};

/// A server that answers with what comes.
async fn echo() -> std::net::SocketAddr {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = server.accept().await {
            tokio::spawn(async move {
                let (mut read, mut write) = stream.split();
                let _ = tokio::io::copy(&mut read, &mut write).await;
            });
        }
    });
    address
}

/// The probe as a network filter, in a VM of its own.
fn probe(vm_id: &str, script: &str) -> Source {
    let configuration = Some(script.to_owned());
    Source::Inline(Module { configuration, vm_id: vm_id.to_owned(), root_id: vm_id.to_owned(), ..Module::new(module("tests/probe")) })
}

#[tokio::test]
async fn what_a_filter_holds_is_shown_again_to_those_before_it() {
    let envoy = throw_away().await;
    envoy.put_clusters(&[Cluster::new("upstream", [echo().await])]).await.unwrap();
    let listener = TcpListener::new("chain", "upstream")
        .with_filter(probe("first", "downstream_data: get_buffer 2 0 99"))
        .with_filter(probe("last", "downstream_data: return 1"));
    let address = envoy.put_tcp_listener(&listener).await.unwrap();
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"abc").await.unwrap();
    assert!(envoy.logs("downstream_data get_buffer 2 0 99 -> 0 \"abc\"").await, "{}", envoy.log());
    client.write_all(b"de").await.unwrap();
    assert!(envoy.logs("downstream_data get_buffer 2 0 99 -> 0 \"abcde\"").await, "{}", envoy.log());
}

#[tokio::test]
async fn connections_keep_the_configuration_that_they_began_with() {
    let envoy = throw_away().await;
    envoy.put_clusters(&[Cluster::new("upstream", [echo().await])]).await.unwrap();
    let configured = |prefix: &str| {
        let configuration = Some(format!(r#"{{ "prefix": "{prefix}" }}"#));
        let source = Source::Inline(Module { configuration, root_id: "tcp_first".to_owned(), ..Module::new(module("tests/filters")) });
        TcpListener::new("updated", "upstream").with_filter(source)
    };
    let address = envoy.put_tcp_listener(&configured("one")).await.unwrap();
    let mut before = TcpStream::connect(address).await.unwrap();
    before.write_all(b"o").await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut next = configured("two");
    next.address = address;
    envoy.put_tcp_listener(&next).await.unwrap();
    before.write_all(b"ne").await.unwrap();
    let mut bytes = [0; 3];
    before.read_exact(&mut bytes).await.unwrap();
    assert_eq!(&bytes, b"one");
    let mut after = TcpStream::connect(address).await.unwrap();
    after.write_all(b"two").await.unwrap();
    after.read_exact(&mut bytes).await.unwrap();
    assert_eq!(&bytes, b"two");
}

#[tokio::test]
async fn a_client_that_is_not_read_from_leaves_unnoticed_until_the_filter_goes_on() {
    let envoy = throw_away().await;
    envoy.put_clusters(&[Cluster::new("upstream", [echo().await])]).await.unwrap();
    let script =
        "new_connection: return 1\ndownstream_close: seen\nconfigure: set_tick_period 400\ntick: set_context $stream\ntick: continue_stream 2";
    let address = envoy.put_tcp_listener(&TcpListener::new("unread", "upstream").with_filter(probe("unread", script))).await.unwrap();
    let client = TcpStream::connect(address).await.unwrap();
    client.set_zero_linger().unwrap();
    drop(client);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!envoy.log().contains("downstream_close"));
    assert!(envoy.logs("downstream_close").await, "{}", envoy.log());
}

#[tokio::test]
async fn a_connection_that_is_resumed_and_closed_in_one_callback_does_no_harm() {
    let envoy = throw_away().await;
    envoy.put_clusters(&[Cluster::new("upstream", [echo().await]), Cluster::new("gone", [])]).await.unwrap();
    // Resumed, it is closed at once by the TCP proxy, which finds no server.
    let tick = "configure: set_tick_period 100\ntick: set_context $stream\ntick: continue_stream 2\ntick: close_stream 2\n";
    let script = format!("new_connection: return 1\ndownstream_data: return 1\ndownstream_close: seen\n{tick}");
    for (name, cluster) in [("resumed", "upstream"), ("nowhere", "gone")] {
        let listener = TcpListener::new(name, cluster).with_filter(probe(name, &script));
        let address = envoy.put_tcp_listener(&listener).await.unwrap();
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"abc").await.unwrap();
        let mut rest = Vec::new();
        // By a reset, if something was not read.
        let _ = client.read_to_end(&mut rest).await;
        assert_eq!(rest, b"");
        envoy.still_running().unwrap();
    }
}
