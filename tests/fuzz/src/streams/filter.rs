use std::time::Duration;

use inproxy::{
    call::Cluster,
    future,
    grpc::{GrpcStream, Raw},
    prelude::*,
    shared::SharedCounter,
    time,
};

use super::{REQUEST, RESPONSE, VM};

/// Does whatever the script says, in whatever order.
#[filter(root_id = "fuzz_streams")]
pub(super) struct Wild {
    cluster: Cluster,
    counter: SharedCounter,
}

#[config]
pub(super) struct Nothing;

impl Configure for Wild {
    type Config = Nothing;

    fn configure(_: Nothing, _: &mut Plugin) -> Result<Self> {
        let cluster = Cluster::new("service").ok_or_else(|| Error::msg("no cluster"))?;
        Ok(Self { cluster, counter: SharedCounter::new("count") })
    }
}

fn choose(below: u8) -> u8 {
    VM.with(|(host, _)| host.script.choose(below))
}

/// The filter has the headers of a direction from here on, or lets them go: until then a callback behind them must pause.
fn owns(stream: Option<u32>, direction: usize, owns: bool) -> u32 {
    VM.with(|(host, _)| host.owns(stream, direction, owns))
}

impl Wild {
    /// Waits for something, or tries it.
    async fn wait(&self) -> Result<()> {
        match choose(8) {
            1 => drop(self.cluster.get("/").send().await?.headers().iter().count()),
            2 => drop(self.cluster.grpc("Echo").call("Echo", &Raw(vec![1])).send::<Raw>().await?),
            3 => self.talk().await?,
            4 => time::sleep(Duration::from_millis(choose(100).into())).await,
            5 => drop(time::timeout(Duration::from_millis(choose(100).into()), self.cluster.post("/").body("x").send()).await),
            6 => drop(self.counter.increment()?),
            7 => drop(future::join(self.cluster.get("/a").send(), self.cluster.get("/b").send()).await),
            _ => {}
        }
        Ok(())
    }

    async fn talk(&self) -> Result<()> {
        let mut stream: GrpcStream<Raw, Raw> = self.cluster.grpc("Echo").stream("Talk").open()?;
        for _ in 0..choose(4) {
            stream.send(&Raw(vec![2]))?;
            match stream.next().await? {
                Some(message) => drop((message, stream.initial_metadata().iter().count())),
                None => return Ok(()),
            }
        }
        if choose(2) == 1 {
            stream.close()?;
            while stream.next().await?.is_some() {}
        }
        drop(stream.trailing_metadata().get("x"));
        Ok(())
    }

    async fn pass(&self, request: Request, next: Next, stream: u32) -> Result<Response> {
        let goes = || owns(Some(stream), REQUEST, false);
        let response = match choose(8) {
            1 => return Err(Error::msg("refused")),
            2 => return Ok(Response::new(StatusCode::FORBIDDEN).with_body("no")),
            3 => {
                let mut held = request.collect(100).await?;
                self.wait().await?;
                let length = held.body().len().to_string();
                held.headers_mut().insert("x-length", length)?;
                if choose(2) == 1 {
                    held.replace_body("other")?;
                }
                goes();
                next.run(held).await
            }
            4 => {
                goes();
                let body = request.release_headers().collect(100).await?;
                self.wait().await?;
                next.run(body).await
            }
            5 => {
                goes();
                let mut chunks = request.release_headers_to_rewrite().chunks();
                while let Some(chunk) = chunks.next().await? {
                    self.wait().await?;
                    if choose(2) == 1 {
                        chunks.replace(chunk);
                    }
                }
                next.run(chunks).await
            }
            6 => {
                goes();
                next.run(request.release_headers_to_rewrite().map_chunks(|chunk: Vec<u8>| chunk)).await
            }
            7 => {
                goes();
                let mut chunks = request.release_headers().chunks();
                let response = next.response(&chunks);
                let read = async {
                    while let Ok(Some(_)) = chunks.next().await {
                        drop(self.wait().await);
                    }
                    chunks.finish();
                };
                future::join(response, read).await.0
            }
            _ => {
                goes();
                next.run(request).await
            }
        };
        owns(Some(stream), RESPONSE, true);
        Ok(response)
    }

    async fn come_back(&self, mut response: Response, stream: u32) -> Result<Response> {
        let goes = || owns(Some(stream), RESPONSE, false);
        match choose(8) {
            1 => Err(Error::msg("refused")),
            2 => Ok(Response::new(StatusCode::BAD_GATEWAY)),
            3 => {
                let held = response.collect(100).await?;
                self.wait().await?;
                Ok(held.into())
            }
            4 => {
                goes();
                let mut body = response.release_headers_to_rewrite()?.collect(100).await?;
                body.replace("other")?;
                Ok(body.into())
            }
            5 => {
                goes();
                let mut chunks = response.release_headers()?.chunks();
                while chunks.next().await?.is_some() {
                    self.wait().await?;
                }
                Ok(chunks.into())
            }
            6 => {
                goes();
                Ok(response.release_headers_to_rewrite()?.map_chunks(|chunk: Vec<u8>| chunk).into())
            }
            7 => {
                goes();
                response = response.let_go();
                self.wait().await?;
                Ok(response)
            }
            _ => {
                response.headers_mut().insert("x-a", vec![b'a'; usize::from(choose(3))])?;
                Ok(response)
            }
        }
    }
}

impl HttpFilter for Wild {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        let stream = owns(None, REQUEST, true);
        for _ in 0..choose(4) {
            self.wait().await?;
            drop((request.headers().get("x-a"), request.headers().get("x-b"), request.source().address()));
            request.headers_mut().append("x-c", [choose(255)])?;
        }
        let response = self.pass(request, next, stream).await?;
        self.wait().await?;
        let response = self.come_back(response, stream).await?;
        // All goes on that has not.
        owns(Some(stream), REQUEST, false);
        owns(Some(stream), RESPONSE, false);
        Ok(response)
    }
}
