//! Filters that call gRPC services.

use std::time::Duration;

use inproxy::{
    future,
    grpc::{GrpcError, Raw},
    prelude::*,
    time,
};

/// Asks a service once, and tells what came of it.
#[filter(root_id = "grpc_call")]
#[config]
#[derive(Debug)]
pub struct Unary {
    service: Cluster,
    #[serde(default = "second")]
    timeout_ms: u64,
}

fn second() -> u64 {
    1000
}

impl HttpFilter for Unary {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        let user = request.headers().get("x-user").map(|user| user.as_bytes().to_vec()).unwrap_or_default();
        let call = self.service.grpc("acme.Greeter").call("Hello", &Raw(user)).metadata("x-meta", "m")?;
        let told = match call.timeout(Duration::from_millis(self.timeout_ms)).send::<Raw>().await {
            Ok(answer) => String::from_utf8(answer.0)?,
            Err(error) => error.to_string(),
        };
        request.headers_mut().insert("x-told", told.as_str())?;
        let mut response = next.run(request).await;
        response.headers_mut().insert("x-told", told)?;
        Ok(response)
    }
}

/// Talks with a service on a stream: sends the words of a header one by one, each when the last was answered, or all at once.
#[filter(root_id = "grpc_talk")]
#[config]
#[derive(Debug)]
pub struct Talk {
    service: Cluster,
    #[serde(default)]
    at_once: bool,
    /// Leaves the stream after so many answers.
    #[serde(default)]
    only: Option<usize>,
}

impl Talk {
    async fn talk(&self, words: Vec<Vec<u8>>) -> Result<String, GrpcError> {
        let stream = self.service.grpc("acme.Chat").stream("Talk").metadata("x-meta", "m").map_err(|_| GrpcError::NoAnswer)?;
        let mut stream = stream.open::<Raw, Raw>()?;
        let mut told = Vec::new();
        if self.at_once {
            let (sender, mut receiver) = stream.split();
            let sending = async {
                for word in words {
                    sender.send(&Raw(word))?;
                }
                sender.close()
            };
            let receiving = async {
                while let Some(answer) = receiver.next().await? {
                    told.push(String::from_utf8_lossy(&answer.0).into_owned());
                }
                Ok(receiver.trailing_metadata().get("x-sum"))
            };
            let ((), sum) = future::try_join(sending, receiving).await?;
            told.extend(sum.map(|sum| String::from_utf8_lossy(sum.as_bytes()).into_owned()));
            return Ok(told.join(","));
        }
        for word in words {
            if self.only == Some(told.len()) {
                return Ok(told.join(","));
            }
            stream.send(&Raw(word))?;
            let Some(answer) = stream.next().await? else { break };
            told.push(String::from_utf8_lossy(&answer.0).into_owned());
        }
        told.extend(stream.initial_metadata().get("x-began").map(|began| String::from_utf8_lossy(began.as_bytes()).into_owned()));
        stream.close()?;
        while let Some(answer) = stream.next().await? {
            told.push(String::from_utf8_lossy(&answer.0).into_owned());
        }
        Ok(told.join(","))
    }
}

impl HttpFilter for Talk {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let words = request.headers().get("x-words").map(|words| words.as_bytes().to_vec()).unwrap_or_default();
        let words = words.split(|byte| *byte == b' ').map(<[u8]>::to_vec).collect();
        let told = self.talk(words).await.unwrap_or_else(|error| error.to_string());
        let mut response = next.run(request).await;
        response.headers_mut().insert("x-told", told)?;
        Ok(response)
    }
}

/// Goes on sending on a stream that the service has ended.
#[filter(root_id = "grpc_insists")]
#[config]
#[derive(Debug)]
pub struct Insists {
    service: Cluster,
}

impl HttpFilter for Insists {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let mut stream = self.service.grpc("acme.Chat").stream("Talk").open::<Raw, Raw>()?;
        stream.send(&Raw(b"stop".to_vec()))?;
        let ended = stream.next().await.err().map(|error| error.to_string()).unwrap_or_default();
        time::sleep(Duration::from_millis(30)).await;
        let late = stream.send(&Raw(b"late".to_vec())).err().map(|error| error.to_string()).unwrap_or_default();
        stream.close()?;
        let mut response = next.run(request).await;
        response.headers_mut().insert("x-told", format!("{ended}; {late}"))?;
        Ok(response)
    }
}
