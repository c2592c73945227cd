//! The filters of the cookbook: what `docs/cookbook` shows.

pub mod clocks;
pub mod deadlines;
pub mod environment;
pub mod errors;
pub mod headers;
pub mod logging;
pub mod memory;
pub mod replies;
pub mod state;

use std::{
    cell::RefCell,
    collections::BTreeSet,
    rc::Rc,
    time::{Duration, SystemTime},
};

use inproxy::{
    ConfigureAsync,
    cache::Cache,
    call::{CallError, Retry},
    future,
    grpc::{Code, GrpcError},
    http::BodyError,
    prelude::*,
    shared::{Lease, Shared, SharedError, Slots},
    task::SingleFlight,
    time,
};

// ANCHOR: ask
/// Lets a request pass if a service says so.
#[filter(root_id = "cookbook_ask")]
#[config]
pub struct Ask {
    authority: Cluster,
}

impl HttpFilter for Ask {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        let Some(key) = request.headers().get("x-api-key") else { return Ok(Response::new(StatusCode::UNAUTHORIZED)) };
        let call = self.authority.get("/check").header("x-api-key", key)?.timeout(Duration::from_millis(200));
        let answer = match call.send().await {
            Ok(answer) => answer,
            Err(error) => {
                log::warn!("no decision: {error}");
                return Ok(Response::new(StatusCode::SERVICE_UNAVAILABLE));
            }
        };
        if answer.status() != StatusCode::OK {
            return Ok(Response::new(StatusCode::FORBIDDEN));
        }
        request.headers_mut().remove("x-user")?;
        if let Some(user) = answer.headers().get("x-user") {
            request.headers_mut().insert("x-user", user)?;
        }
        Ok(next.run(request).await)
    }
}
// ANCHOR_END: ask

// ANCHOR: both
/// Asks two services at once, and tells the upstream what both say.
#[filter(root_id = "cookbook_both")]
#[config]
pub struct Both {
    users: Cluster,
    plans: Cluster,
}

impl HttpFilter for Both {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        let user = self.users.get("/user").send();
        let plan = self.plans.get("/plan").send();
        // `join` waits for both outcomes; `try_join` returns the first error as soon as there is one.
        let (user, plan) = future::join(user, plan).await;
        request.headers_mut().insert("x-user", user?.require_success()?.into_body())?;
        let plan = plan.and_then(|plan| plan.require_success());
        request.headers_mut().insert("x-plan", plan.map_or_else(|_| b"free".to_vec(), |plan| plan.into_body()))?;
        Ok(next.run(request).await)
    }
}
// ANCHOR_END: both

// ANCHOR: first
/// Asks two services for the same, and takes the answer that comes first.
#[filter(root_id = "cookbook_first")]
#[config]
pub struct First {
    near: Cluster,
    far: Cluster,
}

impl HttpFilter for First {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        let asked = [&self.near, &self.far].map(|cluster| cluster.get("/rate").send());
        let (answer, _other) = future::select_ok(asked).await?;
        request.headers_mut().insert("x-rate", answer.require_success()?.into_body())?;
        Ok(next.run(request).await)
    }
}
// ANCHOR_END: first

// ANCHOR: again
/// Asks a service up to three times.
#[filter(root_id = "cookbook_again")]
#[config]
pub struct Again {
    flags: Cluster,
}

impl HttpFilter for Again {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        let retry = Retry::times(2).backoff(Duration::from_millis(10), Duration::from_millis(100));
        let call = self.flags.get("/flags").timeout(Duration::from_millis(200)).retry(retry);
        // All of it, with the pauses between, in half a second.
        let answer = time::timeout(Duration::from_millis(500), call.send()).await??.require_success()?;
        request.headers_mut().insert("x-flags", answer.into_body())?;
        Ok(next.run(request).await)
    }
}
// ANCHOR_END: again

// ANCHOR: collect
/// Refuses a request whose body has a text that must not pass.
#[filter(root_id = "cookbook_collect")]
#[config]
pub struct Refuse {
    text: String,
}

impl HttpFilter for Refuse {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let body = request.release_headers().collect(64 * 1024).await?;
        let text = self.text.as_bytes();
        if !text.is_empty() && body.as_bytes().windows(text.len()).any(|window| window == text) {
            return Ok(Response::new(StatusCode::FORBIDDEN));
        }
        Ok(next.run(body).await)
    }
}
// ANCHOR_END: collect

// ANCHOR: chunks
/// Has a service look at each part of an upload before the part goes on.
#[filter(root_id = "cookbook_chunks")]
#[config]
pub struct Scan {
    scanner: Cluster,
}

impl HttpFilter for Scan {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let mut body = request.release_headers().chunks();
        while let Some(part) = body.next().await? {
            let verdict = self.scanner.post("/scan").body(part).send().await?;
            if verdict.status() != StatusCode::OK {
                return Ok(Response::new(StatusCode::FORBIDDEN));
            }
        }
        Ok(next.run(body).await)
    }
}
// ANCHOR_END: chunks

// ANCHOR: map
/// Puts stars in the place of digits, as a response goes by.
#[filter(root_id = "cookbook_map")]
#[config]
pub struct Mask;

impl HttpFilter for Mask {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        // A compressed body has no digits to see.
        request.headers_mut().remove("accept-encoding")?;
        let response = next.run(request).await;
        let mask = |mut part: Vec<u8>| {
            part.iter_mut().filter(|byte| byte.is_ascii_digit()).for_each(|byte| *byte = b'*');
            part
        };
        Ok(response.release_headers_to_rewrite()?.map_chunks(mask).into())
    }
}
// ANCHOR_END: map

// ANCHOR: trailers
/// Tells the client in a trailer how many bytes the body had.
#[filter(root_id = "cookbook_trailers")]
#[config]
pub struct Measure;

impl HttpFilter for Measure {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let response = next.run(request).await;
        if !response.has_body() {
            return Ok(response);
        }
        let mut body = response.release_headers_to_rewrite()?.chunks();
        let mut size = 0;
        while let Some(part) = body.next().await? {
            size += part.len();
        }
        // Right behind the last part, with no other `await` between.
        body.trailers_mut()?.insert("x-size", size.to_string())?;
        Ok(body.into())
    }
}
// ANCHOR_END: trailers

// ANCHOR: duplex
/// Logs how long a request's body was, and does not keep the response waiting for its end.
#[filter(root_id = "cookbook_duplex")]
#[config]
pub struct Meter;

impl HttpFilter for Meter {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let mut body = request.release_headers().chunks();
        let response = next.response(&body);
        let reading = async {
            let mut size = 0;
            while let Some(part) = body.next().await? {
                size += part.len();
            }
            body.finish();
            Ok::<_, BodyError>(size)
        };
        // The response goes on as soon as it is there.
        let passing = async { response.await.let_go() };
        let (size, response) = future::join(reading, passing).await;
        log::info!("the request had {} bytes", size?);
        Ok(response)
    }
}
// ANCHOR_END: duplex

// ANCHOR: json_held
/// Lets requests for a language model pass if the model is allowed, tells the router which it is, and bounds the length of the answer.
#[filter(root_id = "cookbook_json_held", held)]
#[config]
pub struct Models {
    allowed: Vec<String>,
    max_tokens: u64,
}

impl HttpFilter for Models {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let mut request = request.collect(256 * 1024).await?;
        let Ok(mut body) = serde_json::from_slice::<serde_json::Value>(request.body()) else {
            return Ok(Response::new(StatusCode::BAD_REQUEST).with_body("the body is not JSON\n"));
        };
        let Some(model) = body.get("model").and_then(|model| model.as_str()).map(str::to_owned) else {
            return Ok(Response::new(StatusCode::BAD_REQUEST).with_body("model: missing, or not a text\n"));
        };
        if !self.allowed.contains(&model) {
            return Ok(Response::new(StatusCode::FORBIDDEN).with_body("this model is not allowed\n"));
        }
        bound(&mut body, self.max_tokens);
        request.headers_mut().insert("x-model", model)?;
        request.replace_body(body.to_string())?;
        Ok(next.run(request).await)
    }
}

/// Sets `max_tokens`, unless it is there and small enough.
fn bound(body: &mut serde_json::Value, most: u64) {
    let small_enough = body.get("max_tokens").and_then(|tokens| tokens.as_u64()).is_some_and(|tokens| tokens <= most);
    if let Some(body) = body.as_object_mut().filter(|_| !small_enough) {
        body.insert("max_tokens".to_owned(), most.into());
    }
}
// ANCHOR_END: json_held

// ANCHOR: json_portable
/// Bounds the length of a language model's answer, in any proxy.
#[filter(root_id = "cookbook_json_portable")]
#[config]
pub struct Bounded {
    max_tokens: u64,
}

impl HttpFilter for Bounded {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        if !request.headers().get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"application/json")) {
            return Ok(Response::new(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        let mut request = request.release_headers_to_rewrite().collect(256 * 1024).await?;
        let Ok(mut body) = serde_json::from_slice(request.as_bytes()) else {
            return Ok(Response::new(StatusCode::BAD_REQUEST).with_body("the body is not JSON\n"));
        };
        bound(&mut body, self.max_tokens);
        request.replace(body.to_string())?;
        Ok(next.run(request).await)
    }
}
// ANCHOR_END: json_portable

// ANCHOR: messages
/// `message CheckRequest { string user = 1; string path = 2; }`
#[derive(Clone, PartialEq, prost::Message)]
pub struct CheckRequest {
    /// Who asks.
    #[prost(string, tag = "1")]
    pub user: String,
    /// For what.
    #[prost(string, tag = "2")]
    pub path: String,
}

/// `message CheckResponse { string tenant = 1; }`
#[derive(Clone, PartialEq, prost::Message)]
pub struct CheckResponse {
    /// Whose the user is.
    #[prost(string, tag = "1")]
    pub tenant: String,
}
// ANCHOR_END: messages

// ANCHOR: unary
/// Asks a gRPC service whether a user may have a path.
#[filter(root_id = "cookbook_grpc_check")]
#[config]
pub struct Check {
    authority: Cluster,
}

impl HttpFilter for Check {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        let text = |value: Option<HeaderValue>| value.and_then(|value| value.to_str().map(str::to_owned)).unwrap_or_default();
        let question = CheckRequest { user: text(request.headers().get("x-user")), path: text(request.path()) };
        let call = self.authority.grpc("acme.auth.v1.Authority").call("Check", &question).timeout(Duration::from_millis(200));
        match call.send::<CheckResponse>().await {
            Ok(answer) => request.headers_mut().insert("x-tenant", answer.tenant)?,
            Err(GrpcError::Status(status)) if status.code == Code::PERMISSION_DENIED => return Ok(Response::new(StatusCode::FORBIDDEN)),
            Err(error) => {
                log::warn!("no decision: {error}");
                return Ok(Response::new(StatusCode::SERVICE_UNAVAILABLE));
            }
        }
        Ok(next.run(request).await)
    }
}
// ANCHOR_END: unary

// ANCHOR: stream
/// `message Part { bytes data = 1; }`
#[derive(Clone, PartialEq, prost::Message)]
pub struct Part {
    /// Some of a body.
    #[prost(bytes = "vec", tag = "1")]
    pub data: Vec<u8>,
}

/// `message Verdict { bool clean = 1; }`
#[derive(Clone, PartialEq, prost::Message)]
pub struct Verdict {
    /// Whether the part may go on.
    #[prost(bool, tag = "1")]
    pub clean: bool,
}

/// Has a gRPC service look at each part of an upload, over one stream: `rpc Scan(stream Part) returns (stream Verdict)`.
#[filter(root_id = "cookbook_grpc_scan")]
#[config]
pub struct GrpcScan {
    scanner: Cluster,
}

impl HttpFilter for GrpcScan {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let mut stream = self.scanner.grpc("acme.scan.v1.Scanner").stream("Scan").open::<Part, Verdict>()?;
        let mut body = request.release_headers().chunks();
        while let Some(data) = body.next().await? {
            stream.send(&Part { data })?;
            // A stream has no timeout of its own.
            let verdict = time::timeout(Duration::from_secs(1), stream.next()).await??;
            if !verdict.is_some_and(|verdict| verdict.clean) {
                return Ok(Response::new(StatusCode::FORBIDDEN));
            }
        }
        stream.close()?;
        Ok(next.run(body).await)
    }
}
// ANCHOR_END: stream

// ANCHOR: background
/// Refuses clients that are on a list, which it fetches again every minute.
#[filter(root_id = "cookbook_background")]
pub struct Denylist {
    denied: Rc<RefCell<BTreeSet<Vec<u8>>>>,
}

/// Where the list is.
#[config]
pub struct List {
    source: Cluster,
    #[serde(default = "minute")]
    seconds: u64,
}

impl Configure for Denylist {
    type Config = List;

    fn configure(config: List, plugin: &mut Plugin) -> Result<Self> {
        let denied = Rc::new(RefCell::new(BTreeSet::new()));
        let fetched = Rc::clone(&denied);
        plugin.spawn(async move {
            let mut interval = time::interval(Duration::from_secs(config.seconds));
            loop {
                interval.tick().await;
                match fetch(&config.source).await {
                    Ok(list) => *fetched.borrow_mut() = list,
                    Err(error) => log::warn!("the list stays as it is: {error}"),
                }
            }
        });
        Ok(Self { denied })
    }
}

/// One client in each line.
async fn fetch(source: &Cluster) -> Result<BTreeSet<Vec<u8>>, CallError> {
    let answer = source.get("/denied").send().await?.require_success()?;
    Ok(answer.body().split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect())
}

impl HttpFilter for Denylist {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let client = request.headers().get("x-client");
        // Not borrowed any more when something is awaited.
        let denied = client.is_some_and(|client| self.denied.borrow().contains(client.as_bytes()));
        if denied { Ok(Response::new(StatusCode::FORBIDDEN)) } else { Ok(next.run(request).await) }
    }
}
// ANCHOR_END: background

fn minute() -> u64 {
    60
}

// ANCHOR: lease
/// Puts a text that one of all workers fetches, once in a while, into each response.
#[filter(root_id = "cookbook_lease")]
pub struct Banner {
    text: Shared<String>,
}

impl Configure for Banner {
    type Config = List;

    fn configure(config: List, plugin: &mut Plugin) -> Result<Self> {
        let text = Shared::new("cookbook_lease/text");
        let fetched = text.clone();
        let period = Duration::from_secs(config.seconds);
        // Whoever has it keeps it for as long as it renews it in time.
        let lease = Lease::new("cookbook_lease/lease", period * 3);
        plugin.spawn(async move {
            let mut interval = time::interval(period);
            loop {
                interval.tick().await;
                if let Err(error) = fetch_for_all(&config.source, &fetched, &lease).await {
                    log::warn!("the text stays as it is: {error:#}");
                }
            }
        });
        Ok(Self { text })
    }
}

async fn fetch_for_all(source: &Cluster, text: &Shared<String>, lease: &Lease) -> Result<()> {
    if !lease.take(time::now()?)? {
        return Ok(());
    }
    let answer = source.get("/text").send().await?.require_success()?;
    Ok(text.set(&String::from_utf8(answer.into_body())?)?)
}
// ANCHOR_END: lease

impl HttpFilter for Banner {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let text = self.text.get()?;
        let mut response = next.run(request).await;
        response.headers_mut().insert("x-banner", text.unwrap_or_default())?;
        Ok(response)
    }
}

// ANCHOR: startup
/// As [`Denylist`], but serves only when it has a list.
#[filter(root_id = "cookbook_startup", async_configure)]
pub struct Ready {
    denied: Rc<RefCell<BTreeSet<Vec<u8>>>>,
}

impl ConfigureAsync for Ready {
    type Config = List;

    /// How long a request waits for the first list.
    const PATIENCE: Duration = Duration::from_secs(2);

    async fn configure(config: List, mut plugin: Plugin) -> Result<Self> {
        let denied = Rc::new(RefCell::new(fetch(&config.source).await?));
        let fetched = Rc::clone(&denied);
        plugin.spawn(async move {
            loop {
                time::sleep(Duration::from_secs(config.seconds)).await;
                match fetch(&config.source).await {
                    Ok(list) => *fetched.borrow_mut() = list,
                    Err(error) => log::warn!("the list stays as it is: {error}"),
                }
            }
        });
        Ok(Self { denied })
    }
}
// ANCHOR_END: startup

impl HttpFilter for Ready {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let client = request.headers().get("x-client");
        let denied = client.is_some_and(|client| self.denied.borrow().contains(client.as_bytes()));
        if denied { Ok(Response::new(StatusCode::FORBIDDEN)) } else { Ok(next.run(request).await) }
    }
}

// ANCHOR: keys
/// Needs the keys of the issuer that a request names: fetched when first asked for, kept for ten minutes.
#[filter(root_id = "cookbook_keys")]
pub struct Keys {
    issuers: Cluster,
    known: Rc<Cache<String, Rc<[u8]>>>,
    fetches: SingleFlight<String, Result<Rc<[u8]>, CallError>>,
}

/// Who has the keys.
#[config]
pub struct Issuers {
    issuers: Cluster,
}

const TEN_MINUTES: Duration = Duration::from_secs(600);

impl Configure for Keys {
    type Config = Issuers;

    fn configure(config: Issuers, _: &mut Plugin) -> Result<Self> {
        Ok(Self { issuers: config.issuers, known: Rc::new(Cache::new(100)), fetches: SingleFlight::new() })
    }
}

impl Keys {
    async fn of(&self, issuer: &str) -> Result<Rc<[u8]>> {
        if let Some(keys) = self.known.get(issuer, time::now()?) {
            return Ok(keys);
        }
        let (service, known, name) = (self.issuers.clone(), Rc::clone(&self.known), issuer.to_owned());
        // A task: it owns what it uses, and goes on though the request that began it is gone.
        let fetch = move || async move {
            let answer = service.get(&format!("/{name}/jwks")).timeout(Duration::from_secs(1)).send().await?.require_success()?;
            let keys: Rc<[u8]> = answer.into_body().into();
            if let Ok(now) = time::now() {
                known.insert(name, Rc::clone(&keys), TEN_MINUTES, now);
            }
            Ok(keys)
        };
        // One error for "nobody will fetch it", and one of the fetch itself.
        Ok(self.fetches.run(issuer.to_owned(), fetch).await??)
    }
}

impl HttpFilter for Keys {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        let issuer = match request.headers().get("x-issuer").as_ref().and_then(HeaderValue::to_str) {
            Some(issuer @ ("acme" | "globex")) => issuer.to_owned(),
            _ => return Ok(Response::new(StatusCode::UNAUTHORIZED)),
        };
        let keys = self.of(&issuer).await?;
        // Here a signature would be checked.
        request.headers_mut().insert("x-keys", &*keys)?;
        Ok(next.run(request).await)
    }
}
// ANCHOR_END: keys

// ANCHOR: limit
/// Lets each client send so many requests in each window of time, over all workers.
#[filter(root_id = "cookbook_limit")]
pub struct Limit {
    config: LimitConfig,
    sent: Slots<u64>,
}

/// How many requests, in which time.
#[config]
pub struct LimitConfig {
    requests: u64,
    window_seconds: u64,
    /// About as many as clients at the same time; each slot has eight entries.
    #[serde(default = "slots")]
    slots: u32,
}

impl Configure for Limit {
    type Config = LimitConfig;

    fn configure(config: LimitConfig, _: &mut Plugin) -> Result<Self> {
        if config.window_seconds == 0 {
            return Err(Error::msg("window_seconds: must be at least 1"));
        }
        Ok(Self { sent: Slots::new("cookbook_limit/sent", config.slots), config })
    }
}

impl HttpFilter for Limit {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let Some(client) = request.headers().get("x-api-key") else { return Ok(Response::new(StatusCode::UNAUTHORIZED)) };
        let now = time::now()?;
        let left = self.left(now);
        // What the counter counts is over when the window is.
        let count = |sent: Option<u64>| Some(sent.unwrap_or(0) + 1).filter(|sent| *sent <= self.config.requests);
        let refused = match self.sent.try_update(client.as_bytes(), now, left, count) {
            Ok(Some(_)) => return Ok(next.run(request).await),
            Ok(None) => StatusCode::TOO_MANY_REQUESTS,
            // No room to count this client. To let it pass here is to fail open.
            Err(SharedError::Full { .. }) => StatusCode::SERVICE_UNAVAILABLE,
            Err(error) => return Err(error.into()),
        };
        let seconds = left.as_millis().div_ceil(1000);
        Response::new(refused).with_header("retry-after", seconds.to_string())
    }
}

impl Limit {
    /// How much of the window is left, in whole milliseconds, as the table counts. All workers have the same windows: they begin with the clock, not with a request.
    fn left(&self, now: SystemTime) -> Duration {
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
        let window = u128::from(self.config.window_seconds) * 1000;
        Duration::from_millis(u64::try_from(window - now % window).unwrap_or(u64::MAX))
    }
}
// ANCHOR_END: limit

fn slots() -> u32 {
    1024
}
