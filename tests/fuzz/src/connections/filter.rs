use std::{rc::Rc, time::Duration};

use inproxy::{
    call::Cluster,
    future,
    http::MapChunk,
    network::{Connection, ConnectionError, Downstream, Upstream},
    prelude::*,
    time,
};

use super::{VM, record::Record};

/// Does with its connections whatever the script says, and writes down what is to become of them.
#[filter(network, root_id = "fuzz_connections")]
pub(super) struct Tap {
    cluster: Cluster,
}

#[config]
pub(super) struct Nothing;

impl Configure for Tap {
    type Config = Nothing;

    fn configure(_: Nothing, _: &mut Plugin) -> Result<Self> {
        Ok(Self { cluster: Cluster::new("service").ok_or_else(|| Error::msg("no cluster"))? })
    }
}

impl NetworkFilter for Tap {
    async fn handle(&self, connection: Connection) -> Result<()> {
        let record = VM.with(|(host, _)| host.record());
        let result = self.tap(connection, &record).await;
        if result.is_ok() {
            record.pass();
        }
        record.ended.set(Some(result.is_ok()));
        result
    }
}

fn choose(below: u8) -> u8 {
    VM.with(|(host, _)| host.script.choose(below))
}

/// Other bytes, by which it can be seen that they are.
fn other(bytes: &[u8]) -> Vec<u8> {
    match choose(4) {
        1 => Vec::new(),
        2 => [bytes, b"more"].concat(),
        3 => vec![0xff],
        _ => bytes.iter().map(|byte| byte | 0x80).collect(),
    }
}

// === impl Tap ===

impl Tap {
    async fn wait(&self) -> Result<()> {
        match choose(5) {
            1 => drop(self.cluster.get("/").send().await?),
            2 => time::sleep(Duration::from_millis(choose(100).into())).await,
            3 => drop(time::timeout(Duration::from_millis(choose(100).into()), self.cluster.get("/").send()).await),
            4 => drop(future::join(self.cluster.get("/a").send(), self.cluster.get("/b").send()).await),
            _ => {}
        }
        Ok(())
    }

    async fn tap(&self, mut connection: Connection, record: &Rc<Record>) -> Result<()> {
        self.wait().await?;
        let (client, server) = connection.split();
        match choose(6) {
            1 => self.of_client(client, record).await?,
            2 => {
                record.pass();
                client.finish()?;
                self.of_server(server, record).await?;
            }
            3 => drop(future::try_join(self.of_client(client, record), self.of_server(server, record)).await?),
            4 => {
                let soon = Duration::from_millis(choose(100).into());
                drop(time::timeout(soon, future::join(self.of_client(client, record), self.of_server(server, record))).await);
            }
            5 => drop(future::join(self.of_client(client, record), self.of_server(server, record)).await),
            _ => {}
        }
        self.wait().await?;
        match choose(8) {
            1 => Err(Error::msg("refused")),
            2 => {
                connection.close();
                Err(Error::msg("closed"))
            }
            _ => Ok(()),
        }
    }

    async fn of_client(&self, mut client: Downstream<'_>, record: &Rc<Record>) -> Result<()> {
        for _ in 0..choose(8) {
            // What is read goes on when the filter reads on.
            record.forward();
            let read = match choose(4) {
                1 => client.read_at_least(choose(30).into()).await.map(Some),
                2 => {
                    let enough = usize::from(choose(40));
                    client.read_until(choose(60).into(), |bytes| bytes.len() >= enough).await
                }
                3 => match time::timeout(Duration::from_millis(choose(50).into()), client.read()).await {
                    Ok(read) => read,
                    Err(_) => continue,
                },
                _ => client.read().await,
            };
            match read {
                Ok(Some(bytes)) => {
                    record.read(bytes.clone());
                    self.with_piece(&mut client, &bytes, record).await?;
                }
                Ok(None) => break,
                Err(ConnectionError::TooLong { .. } | ConnectionError::Ended { .. }) if choose(2) == 1 => {}
                Err(error) => return Err(error.into()),
            }
        }
        match choose(4) {
            1 => {
                record.pass();
                client.finish()?;
            }
            2 => {
                record.forward();
                client.map(Change { record: Rc::clone(record), of_client: true })?;
            }
            _ => {}
        }
        Ok(())
    }

    async fn with_piece(&self, client: &mut Downstream<'_>, bytes: &[u8], record: &Rc<Record>) -> Result<()> {
        for _ in 0..choose(3) {
            match choose(4) {
                1 => {
                    record.forward();
                    client.forward()?;
                }
                2 => {
                    let other = other(bytes);
                    match client.replace(other.clone()) {
                        Ok(()) => record.replaced(&other),
                        Err(ConnectionError::Passed) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                _ => self.wait().await?,
            }
        }
        Ok(())
    }

    async fn of_server(&self, mut server: Upstream<'_>, record: &Rc<Record>) -> Result<()> {
        for _ in 0..choose(8) {
            let Some(bytes) = server.read().await? else { break };
            record.read_of_server(&bytes);
            match choose(4) {
                1 => {
                    let other = other(&bytes);
                    server.replace(other.clone())?;
                    record.replaced_of_server(&other, false);
                }
                2 => {
                    self.wait().await?;
                    // Too late, if that has taken a while.
                    if server.replace("late").is_ok() {
                        record.replaced_of_server(b"late", false);
                    }
                }
                _ => {}
            }
        }
        if choose(3) == 1 {
            server.map(Change { record: Rc::clone(record), of_client: false })?;
        }
        Ok(())
    }
}

/// Changes what goes by.
struct Change {
    record: Rc<Record>,
    of_client: bool,
}

impl MapChunk for Change {
    fn chunk(&mut self, bytes: Vec<u8>) -> Result<Vec<u8>> {
        if choose(16) == 1 {
            return Err(Error::msg("cannot be changed"));
        }
        let other = other(&bytes);
        if self.of_client {
            self.record.mapped(bytes, &other);
        } else {
            self.record.read_of_server(&bytes);
            self.record.replaced_of_server(&other, false);
        }
        Ok(other)
    }

    fn end(&mut self) -> Result<Vec<u8>> {
        let last = if choose(2) == 1 { b"last".to_vec() } else { Vec::new() };
        if self.of_client {
            self.record.replaced(&last);
            self.record.forward();
        } else {
            self.record.replaced_of_server(&last, true);
        }
        Ok(last)
    }
}
