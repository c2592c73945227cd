//! Filters that keep what all workers share.

use std::time::{Duration, SystemTime};

use inproxy::{
    metrics::Counter,
    prelude::*,
    queue::Queue,
    shared::{Json, Shared, SharedCounter, SharedError, Slots},
};

// ANCHOR: counter
/// Numbers the requests of all workers.
#[filter(root_id = "numbered")]
pub struct Numbered {
    requests: SharedCounter,
}

impl Configure for Numbered {
    type Config = Nothing;

    fn configure(_: Nothing, _: &mut Plugin) -> Result<Self> {
        Ok(Self { requests: SharedCounter::new("numbered/requests") })
    }
}

impl HttpFilter for Numbered {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let nth = self.requests.increment()?;
        let mut response = next.run(request).await;
        response.headers_mut().insert("x-number", nth.to_string())?;
        Ok(response)
    }
}
// ANCHOR_END: counter

/// Nothing to configure.
#[config]
#[derive(Debug)]
pub struct Nothing;

// ANCHOR: budget
/// Lets each client pass so many times until a time is over.
#[filter(root_id = "budget")]
pub struct Budget {
    config: BudgetConfig,
    granted: Slots<u64>,
}

/// Who may pass how often.
#[config]
#[derive(Debug)]
pub struct BudgetConfig {
    limit: u64,
    seconds: u64,
    #[serde(default = "slots")]
    slots: u32,
    #[serde(default = "ways")]
    ways: u8,
}

impl Configure for Budget {
    type Config = BudgetConfig;

    fn configure(config: BudgetConfig, _: &mut Plugin) -> Result<Self> {
        Ok(Self { granted: Slots::new("budget/granted", config.slots).with_ways(config.ways), config })
    }
}

impl HttpFilter for Budget {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let client = request.headers().get("x-client");
        let client = client.as_ref().map(HeaderValue::as_bytes).unwrap_or_default();
        let (now, ttl) = (now(&request), Duration::from_secs(self.config.seconds));
        let grant = |count: Option<u64>| Some(count.unwrap_or(0) + 1).filter(|count| *count <= self.config.limit);
        match self.granted.try_update(client, now, ttl, grant) {
            Ok(Some(_)) => Ok(next.run(request).await),
            Ok(None) => Ok(Response::new(StatusCode::TOO_MANY_REQUESTS)),
            // Nobody can say how often this client has passed: it does not.
            Err(SharedError::Full { .. }) => Ok(Response::new(StatusCode::SERVICE_UNAVAILABLE)),
            Err(error) => Err(error.into()),
        }
    }
}
// ANCHOR_END: budget

/// The time that the request says it is, in seconds.
fn now(request: &Request) -> SystemTime {
    let seconds = request.headers().get("x-now").and_then(|now| now.to_str().and_then(|now| now.parse().ok()));
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.unwrap_or(0))
}

fn slots() -> u32 {
    64
}

fn ways() -> u8 {
    Slots::<u64>::WAYS
}

/// Adds to a counter as often as `x-times` says, one by one, and to one in a table; other workers are at it too. Takes as often from a budget of `x-limit`. Tells what the two are then, and how much it got.
#[filter(root_id = "add_many")]
pub struct AddMany {
    one: SharedCounter,
    table: Slots<u64>,
    again: Counter,
}

impl Configure for AddMany {
    type Config = Nothing;

    fn configure(_: Nothing, plugin: &mut Plugin) -> Result<Self> {
        Ok(Self { one: SharedCounter::new("add_many/one"), table: Slots::new("add_many/table", 1), again: plugin.counter("add_many.again")? })
    }
}

impl HttpFilter for AddMany {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let number = |name| request.headers().get(name).and_then(|times| times.to_str()?.parse().ok()).unwrap_or(0);
        let (times, limit): (u64, u64) = (number("x-times"), number("x-limit"));
        let (mut tries, mut got) = (0, 0);
        for _ in 0..times {
            self.one.increment()?;
            self.table.update(b"key", SystemTime::UNIX_EPOCH, Duration::from_secs(1), |count| {
                tries += 1;
                count.unwrap_or(0) + 1
            })?;
            let grant = |count: Option<u64>| Some(count.unwrap_or(0) + 1).filter(|count| *count <= limit);
            got += u64::from(self.table.try_update(b"budget", SystemTime::UNIX_EPOCH, Duration::from_secs(1), grant)?.is_some());
        }
        self.again.add(tries - times);
        let (one, of_table) = (self.one.get()?, self.table.get(b"key", SystemTime::UNIX_EPOCH)?.unwrap_or(0));
        let mut response = next.run(request).await;
        response.headers_mut().insert("x-one", one.to_string())?;
        response.headers_mut().insert("x-of-table", of_table.to_string())?;
        response.headers_mut().insert("x-got", got.to_string())?;
        Ok(response)
    }
}

/// Does what the path says with what is shared: `/get`, `/set/<text>`, `/create/<text>`, `/append/<text>`, `/json/<number>`, `/enqueue/<text>`, `/dequeue`, `/resolve/<vm_id>/<name>`.
/// Answers what came of it.
#[filter(root_id = "board")]
pub struct Board {
    text: Shared<String>,
    numbers: Shared<Json<Vec<u64>>>,
    queue: Queue,
    created: Counter,
}

impl Configure for Board {
    type Config = Nothing;

    fn configure(_: Nothing, plugin: &mut Plugin) -> Result<Self> {
        let created = plugin.counter("board.created")?;
        if Shared::<String>::new("board/configured").create(&String::new())? {
            created.increment();
        }
        Ok(Self { text: Shared::new("board/text"), numbers: Shared::new("board/numbers"), queue: Queue::register("board")?, created })
    }
}

impl HttpFilter for Board {
    async fn handle(&self, request: Request, _: Next) -> Result<Response> {
        let path = request.path();
        let mut parts = path.as_ref().and_then(HeaderValue::to_str).unwrap_or_default().trim_start_matches('/').splitn(2, '/');
        let (what, with) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let text = with.to_owned();
        let answer = match what {
            "get" => format!("{:?}", self.text.get()?),
            "set" => format!("{:?}", self.text.set(&text)?),
            "create" => {
                let created = self.text.create(&text)?;
                self.created.add(created.into());
                created.to_string()
            }
            "append" => self.text.update(|before| before.unwrap_or_default() + with)?,
            "json" => {
                let number = with.parse()?;
                let numbers = self.numbers.update(|numbers| {
                    let mut numbers = numbers.unwrap_or_default();
                    numbers.0.push(number);
                    numbers
                })?;
                format!("{:?}", *numbers)
            }
            "enqueue" => format!("{:?}", self.queue.enqueue(with.as_bytes())?),
            "dequeue" => self.queue.dequeue()?.map_or("nothing".to_owned(), |message| message.escape_ascii().to_string()),
            "resolve" => {
                let (vm_id, name) = with.split_once('/').unwrap_or_default();
                format!("{}", Queue::resolve(vm_id, name)? == Some(self.queue))
            }
            _ => return Ok(Response::new(StatusCode::NOT_FOUND)),
        };
        Ok(Response::new(StatusCode::OK).with_body(answer))
    }
}
