//! The load: a few connections, each of which sends its next request when it has its answer.

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// How many connections there are.
const CONNECTIONS: usize = 8;

/// The end of an answer that has no body.
const END: &[u8] = b"\r\n\r\n";

/// Sends a request so many times, over all connections together. Each answer must be 200, and have no body.
pub(crate) async fn drive(address: SocketAddr, request: &'static [u8], requests: usize) -> io::Result<()> {
    let mut connections = JoinSet::new();
    for _ in 0..CONNECTIONS {
        connections.spawn(async move {
            let mut stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let mut buffer = vec![0; 16 * 1024];
            for _ in 0..requests / CONNECTIONS {
                stream.write_all(request).await?;
                let mut read = 0;
                while !buffer.get(..read).is_some_and(|answer| answer.ends_with(END)) {
                    let free = buffer.get_mut(read..).unwrap_or_default();
                    match stream.read(free).await? {
                        0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                        more => read += more,
                    }
                }
                if !buffer.starts_with(b"HTTP/1.1 200") {
                    let answer = String::from_utf8_lossy(buffer.get(..read).unwrap_or_default()).into_owned();
                    return Err(io::Error::other(format!("not answered with 200, but: {answer}")));
                }
            }
            Ok(())
        });
    }
    while let Some(done) = connections.join_next().await {
        done??;
    }
    Ok(())
}

/// A server that answers every request with 200 and nothing; it lives as long as the runtime.
pub(crate) async fn server() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut buffer = vec![0; 16 * 1024];
                let mut pending = 0;
                while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                    // Requests have no bodies here.
                    pending += buffer.get(..read).unwrap_or_default().windows(END.len()).filter(|window| *window == END).count();
                    for _ in 0..std::mem::take(&mut pending) {
                        if stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    Ok(address)
}
