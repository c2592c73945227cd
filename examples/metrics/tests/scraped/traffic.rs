//! What clients do, each on a connection of its own.

use std::{net::SocketAddr, time::Duration};

use http_body_util::Full;
use hyper::Request;
use inproxy_envoy::client;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Messages of gRPC of these lengths.
pub fn messages(lengths: &[u32]) -> Vec<u8> {
    lengths.iter().flat_map(|length| [&[0][..], &length.to_be_bytes(), &vec![b'm'; *length as usize]].concat()).collect()
}

pub async fn get(proxy: SocketAddr, path: &str, agent: &str) {
    let request = Request::get(format!("http://cart.shop{path}")).header("user-agent", agent);
    client::send(proxy, request.body(Full::default()).unwrap()).await.expect("an answer");
}

pub async fn post(proxy: SocketAddr, path: &str, content_type: &str, body: Vec<u8>) {
    let request = Request::post(format!("http://cart.shop{path}")).header("content-type", content_type);
    client::send(proxy, request.body(body.into()).unwrap()).await.expect("an answer");
}

/// Sends a request, and leaves.
pub async fn leave(proxy: SocketAddr, path: &str) {
    let mut stream = TcpStream::connect(proxy).await.expect("a connection");
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: cart.shop\r\n\r\n").as_bytes()).await.expect("a request");
    tokio::time::sleep(Duration::from_millis(200)).await;
}

/// Says 60 bytes, and hears 62.
pub async fn connection(proxy: SocketAddr, nth: u32) {
    let mut stream = TcpStream::connect(proxy).await.expect("a connection");
    let said = format!("{nth:060}");
    stream.write_all(said.as_bytes()).await.expect("a connection");
    let mut heard = [0; 62];
    stream.read_exact(&mut heard).await.expect("what was said");
    assert_eq!(heard, format!("<{said}>").as_bytes());
}

/// A server that says what it hears, in brackets.
pub async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut heard = [0; 60];
                while stream.read_exact(&mut heard).await.is_ok() {
                    let _ = stream.write_all(&[b"<", &heard[..], b">"].concat()).await;
                }
            });
        }
    });
    address
}
