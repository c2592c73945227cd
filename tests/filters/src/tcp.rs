//! Network filters.

use std::{cell::Cell, future::pending, time::Duration};

use inproxy::{
    future,
    hooks::{
        Action, CallToken, CloseType, Closed, ConnectionCallResponse, DownstreamData, Finished, HttpCall, NetworkHooks, NewConnection, UpstreamData,
    },
    http::MapChunk,
    network::ConnectionError,
    prelude::*,
    time,
};

// ANCHOR: first
/// Lets only connections pass whose first bytes are these.
#[filter(network, root_id = "tcp_first")]
#[config]
#[derive(Debug)]
pub struct First {
    prefix: String,
}

impl NetworkFilter for First {
    async fn handle(&self, mut connection: Connection) -> Result<()> {
        let first = connection.downstream().read_at_least(self.prefix.len()).await?;
        if !first.starts_with(self.prefix.as_bytes()) {
            connection.close();
        }
        Ok(())
    }
}
// ANCHOR_END: first

// ANCHOR: ask
/// Lets only clients pass that a service allows. The upstream hears nothing of the others, not even that they connected.
#[filter(network, root_id = "tcp_ask")]
#[config]
#[derive(Debug)]
pub struct Ask {
    service: Cluster,
}

impl NetworkFilter for Ask {
    async fn handle(&self, connection: Connection) -> Result<()> {
        let client = connection.source().address()?.ip();
        self.service.get(&format!("/allowed/{client}")).send().await?.require_success()?;
        Ok(())
    }
}
// ANCHOR_END: ask

// ANCHOR: tenants
/// Reads the client's first line, and asks a service whether that tenant may connect. The line and all behind it wait.
#[filter(network, root_id = "tcp_tenants")]
#[config]
#[derive(Debug)]
pub struct Tenants {
    service: Cluster,
}

impl NetworkFilter for Tenants {
    async fn handle(&self, mut connection: Connection) -> Result<()> {
        let mut client = connection.downstream();
        let Some(mut line) = client.read_until(128, |bytes| bytes.contains(&b'\n')).await? else { return Ok(()) };
        let end = line.iter().position(|byte| *byte == b'\n').unwrap_or(line.len());
        let tenant = String::from_utf8_lossy(line.get(..end).unwrap_or_default()).into_owned();
        self.service.get("/tenant").header("x-tenant", tenant)?.send().await?.require_success()?;
        // The server is not told.
        line.drain(..=end.min(line.len().saturating_sub(1)));
        client.replace(line)?;
        Ok(())
    }
}
// ANCHOR_END: tenants

// ANCHOR: count
/// Logs how much was sent each way.
#[filter(network, root_id = "tcp_count")]
#[config]
#[derive(Debug)]
pub struct Count;

impl NetworkFilter for Count {
    async fn handle(&self, mut connection: Connection) -> Result<()> {
        let (mut client, mut server) = connection.split();
        let sent = async {
            let mut size = 0;
            while let Some(bytes) = client.read().await? {
                size += bytes.len();
            }
            Ok::<_, ConnectionError>(size)
        };
        let received = async {
            let mut size = 0;
            while let Some(bytes) = server.read().await? {
                size += bytes.len();
            }
            Ok::<_, ConnectionError>(size)
        };
        let (sent, received) = future::try_join(sent, received).await?;
        log::info!("{sent} bytes there, {received} back");
        Ok(())
    }
}
// ANCHOR_END: count

/// Changes each piece, in both directions: the client's after a while.
#[filter(network, root_id = "tcp_rewrite")]
#[config]
#[derive(Debug)]
pub struct Rewrite {
    #[serde(default)]
    wait_ms: u64,
}

impl NetworkFilter for Rewrite {
    async fn handle(&self, mut connection: Connection) -> Result<()> {
        let (mut client, mut server) = connection.split();
        let there = async {
            while let Some(bytes) = client.read().await? {
                if self.wait_ms > 0 {
                    time::sleep(Duration::from_millis(self.wait_ms)).await;
                }
                client.replace(if bytes == b"drop" { Vec::new() } else { [b"<", &*bytes, b">"].concat() })?;
            }
            Ok::<_, Error>(())
        };
        let back = async {
            while let Some(bytes) = server.read().await? {
                server.replace([b"(", &*bytes, b")"].concat())?;
            }
            Ok::<_, Error>(())
        };
        future::try_join(there, back).await?;
        Ok(())
    }
}

// ANCHOR: map
/// Changes what goes by, piece by piece, without holding it; and puts something at the end of each direction.
#[filter(network, root_id = "tcp_map")]
#[config]
#[derive(Debug)]
pub struct Shout;

struct Upper(&'static str);

impl MapChunk for Upper {
    fn chunk(&mut self, bytes: Vec<u8>) -> Result<Vec<u8>> {
        if bytes.contains(&b'!') { Err(Error::msg("no need to shout")) } else { Ok(bytes.to_ascii_uppercase()) }
    }

    fn end(&mut self) -> Result<Vec<u8>> {
        Ok(self.0.into())
    }
}

impl NetworkFilter for Shout {
    async fn handle(&self, mut connection: Connection) -> Result<()> {
        let (client, server) = connection.split();
        client.map(Upper("over"))?;
        server.map(Upper("out"))
    }
}
// ANCHOR_END: map

// ANCHOR: commands
/// Lets no `FLUSHALL` through to Redis.
#[filter(network, root_id = "tcp_commands")]
#[config]
#[derive(Debug)]
pub struct NoFlush;

impl NetworkFilter for NoFlush {
    async fn handle(&self, mut connection: Connection) -> Result<()> {
        let mut client = connection.downstream();
        // Whole lines only: a word is not seen whose halves come apart.
        while let Some(lines) = client.read_until(1 << 16, |bytes| bytes.ends_with(b"\r\n")).await? {
            if lines.windows(8).any(|word| word.eq_ignore_ascii_case(b"flushall")) {
                return Err(Error::msg("flushall is not allowed"));
            }
        }
        Ok(())
    }
}
// ANCHOR_END: commands

// ANCHOR: dialog
/// Lets one question through at a time, and logs what was answered.
#[filter(network, root_id = "tcp_dialog")]
#[config]
#[derive(Debug)]
pub struct Dialog;

impl NetworkFilter for Dialog {
    async fn handle(&self, mut connection: Connection) -> Result<()> {
        let (mut client, mut server) = connection.split();
        while let Some(question) = client.read().await? {
            // Else the question would be held while its answer is waited for.
            client.forward()?;
            let Some(answer) = server.read().await? else { break };
            log::info!("{}? {}", String::from_utf8_lossy(&question), String::from_utf8_lossy(&answer));
        }
        Ok(())
    }
}
// ANCHOR_END: dialog

/// Closes if the server does not greet as it should.
#[filter(network, root_id = "tcp_greeting")]
#[config]
#[derive(Debug)]
pub struct Greeting;

impl NetworkFilter for Greeting {
    async fn handle(&self, mut connection: Connection) -> Result<()> {
        let mut server = connection.upstream();
        let greeting = server.read().await?.unwrap_or_default();
        if greeting != b"hello" {
            connection.close();
            return Ok(());
        }
        server.replace("welcome")?;
        Ok(())
    }
}

/// Fails when it has read something.
#[filter(network, root_id = "tcp_deny")]
#[config]
#[derive(Debug)]
pub struct FailsAndDenies;

impl NetworkFilter for FailsAndDenies {
    async fn handle(&self, mut connection: Connection) -> Result<()> {
        let read = connection.downstream().read().await?;
        Err(Error::msg(format!("no {}", read.map(|bytes| bytes.len()).unwrap_or_default())))
    }
}

/// The same, and the rest passes.
#[filter(network, root_id = "tcp_allow", on_error = allow)]
#[config]
#[derive(Debug)]
pub struct FailsAndAllows;

impl NetworkFilter for FailsAndAllows {
    async fn handle(&self, mut connection: Connection) -> Result<()> {
        connection.downstream().read_at_least(2).await?;
        Err(Error::msg("it does not matter"))
    }
}

/// Waits for what never comes, and tells when it is dropped: before it has read anything, or behind that.
#[filter(network, root_id = "tcp_waiting")]
#[config]
#[derive(Debug)]
pub struct Waiting;

struct Gone;

impl Drop for Gone {
    fn drop(&mut self) {
        log::info!("gone");
    }
}

impl NetworkFilter for Waiting {
    async fn handle(&self, mut connection: Connection) -> Result<()> {
        let _gone = Gone;
        connection.downstream().read().await?;
        pending::<()>().await;
        Ok(())
    }
}

/// Waits for a time before it reads, and again after.
#[filter(network, root_id = "tcp_sleepy")]
#[config]
#[derive(Debug)]
pub struct Sleepy;

impl NetworkFilter for Sleepy {
    async fn handle(&self, mut connection: Connection) -> Result<()> {
        time::sleep(Duration::from_millis(50)).await;
        let read = connection.downstream().read_at_least(3).await?;
        time::sleep(Duration::from_millis(50)).await;
        log::info!("{} bytes have waited", read.len());
        Ok(())
    }
}

/// Goes on behind errors: what was too long it reads all the same, what was refused it tries again.
#[filter(network, root_id = "tcp_stubborn")]
#[config]
#[derive(Debug)]
pub struct Stubborn;

impl NetworkFilter for Stubborn {
    async fn handle(&self, mut connection: Connection) -> Result<()> {
        let mut client = connection.downstream();
        if let Err(error) = client.read_until(4, |_| false).await {
            log::info!("{error}");
        }
        while let Some(bytes) = client.read().await? {
            client.replace([b"<", &*bytes, b">"].concat())?;
            if let Err(error) = client.forward() {
                log::info!("{error}");
                client.forward()?;
            }
        }
        Ok(())
    }
}

/// Reads, waits, lets go and writes the same again, in an order that chance decides, another for each connection.
#[filter(network, root_id = "tcp_shuffle")]
#[config]
#[derive(Debug)]
pub struct Shuffle {
    #[serde(skip)]
    connections: Cell<u64>,
}

impl NetworkFilter for Shuffle {
    async fn handle(&self, mut connection: Connection) -> Result<()> {
        let mut seed = self.connections.replace(self.connections.get() + 1);
        let mut random = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        if random(3) == 0 {
            time::sleep(Duration::from_millis(random(5))).await;
        }
        let mut client = connection.downstream();
        loop {
            let wanted = usize::try_from(random(12))?;
            let read = match random(3) {
                0 => client.read_until(1 << 20, |bytes| bytes.len() > wanted).await,
                _ => client.read().await,
            };
            let Some(bytes) = read? else { return Ok(()) };
            for _ in 0..random(4) {
                match random(4) {
                    0 => time::sleep(Duration::from_millis(random(5))).await,
                    1 => client.forward()?,
                    _ => {
                        // It may have gone on.
                        let _ = client.replace(bytes.clone());
                    }
                }
            }
            if random(30) == 0 {
                return Ok(());
            }
        }
    }
}

/// Callbacks, each of which tells that it was called.
#[filter(network, root_id = "tcp_hooks", hooks)]
#[config]
#[derive(Debug)]
pub struct Hooks {
    service: Cluster,
}

/// What [`Hooks`] remember.
#[derive(Debug, Default)]
pub struct Told {
    call: Option<CallToken>,
    answered: bool,
}

impl NetworkHooks for Hooks {
    type Connection = Told;

    fn on_new_connection(&self, _: &mut Told, new: NewConnection<'_>) -> Action {
        log::info!("new {}", new.attributes().source().address().is_ok());
        Action::Continue
    }

    fn on_downstream_data(&self, told: &mut Told, mut data: DownstreamData<'_>) -> Action {
        log::info!("down {} {}", data.buffer().len(), data.end_of_stream());
        if data.buffer().read().is_ok_and(|bytes| bytes == b"close") {
            return data.close();
        }
        if told.answered {
            return Action::Continue;
        }
        if told.call.is_none() {
            let mut call = HttpCall::new(self.service.name());
            for (name, value) in [(":method", "GET"), (":path", "/"), (":authority", "service")] {
                if call.headers_mut().insert(name, value).is_err() {
                    return data.close();
                }
            }
            told.call = data.call(&call).ok();
        }
        Action::Pause
    }

    fn on_upstream_data(&self, _: &mut Told, mut data: UpstreamData<'_>) {
        log::info!("up {} {}", data.buffer().len(), data.end_of_stream());
        if !data.buffer().is_empty()
            && let Err(error) = data.buffer().append(b".")
        {
            log::error!("{error}");
        }
    }

    fn on_upstream_close(&self, _: &mut Told, closed: Closed<'_>) {
        log::info!("up closed {:?}", closed.by());
    }

    fn on_downstream_close(&self, _: &mut Told, closed: Closed<'_>) {
        log::info!("down closed {}", closed.by() == CloseType::Remote);
    }

    fn on_call_response(&self, told: &mut Told, mut call: ConnectionCallResponse<'_>) {
        log::info!("answered {}", told.call == Some(call.token()));
        told.answered = true;
        if let Err(error) = call.resume() {
            log::error!("{error}");
        }
    }

    fn on_log(&self, _: &mut Told, finished: Finished<'_>) {
        log::info!("over {:?}", finished.attributes().response().size().ok());
    }
}
