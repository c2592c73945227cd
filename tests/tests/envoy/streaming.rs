use std::{net::SocketAddr, time::Duration};

use inproxy_tests::Proxy;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

/// A server that sends back what it reads while it reads it, as it is on the wire: the chunks of a body.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = until(&mut stream, b"\r\n\r\n").await;
                let body = head.split_off(head.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4);
                stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
                stream.write_all(&body).await.unwrap();
                let (mut from, mut to) = stream.split();
                let _ = tokio::io::copy(&mut from, &mut to).await;
            });
        }
    });
    address
}

/// What comes until it has these bytes.
async fn until(stream: &mut TcpStream, end: &[u8]) -> Vec<u8> {
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    while !seen.windows(end.len()).any(|window| window == end) {
        let read = timeout(Duration::from_secs(10), stream.read(&mut buffer)).await;
        let read =
            read.unwrap_or_else(|_| panic!("no {:?} came behind {:?}", end.escape_ascii().to_string(), seen.escape_ascii().to_string())).unwrap();
        assert!(read > 0, "the end came, and no {:?}, behind {:?}", end.escape_ascii().to_string(), seen.escape_ascii().to_string());
        seen.extend(&buffer[..read]);
    }
    seen
}

#[tokio::test]
async fn request_and_response_are_under_way_at_the_same_time() {
    for (filter, configuration, answers) in
        [("duplex", json!({}), ["<ONE>", "<TWO>", "<THREE>"]), ("mapping", json!({ "request": true, "response": true }), ["ONE", "TWO", "THREE"])]
    {
        let address = Proxy::before_address(echo().await).filter(filter, configuration).open().await;
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"POST / HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
        for (part, answer) in ["one", "two", "three"].iter().zip(answers) {
            client.write_all(format!("{:x}\r\n{part}\r\n", part.len()).as_bytes()).await.unwrap();
            // Each part is answered before the next one is sent.
            until(&mut client, answer.as_bytes()).await;
        }
        client.write_all(b"0\r\n\r\n").await.unwrap();
        until(&mut client, b"0\r\n\r\n").await;
    }
}
