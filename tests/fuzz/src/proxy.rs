//! A filter that lets nothing pass that was not checked, in the tests' model of Envoy: random traffic, services, refusals, clients that leave, and new configurations.

use std::{cell::RefCell, sync::Arc, time::Duration};

use arbitrary::{Arbitrary, Unstructured};
use inproxy::prelude::*;
use inproxy_test::{Exchange, HostKind, Proxy, Request as Sent, Response as Given, Running, json};

/// Lets requests pass whose token a service knows.
#[filter(root_id = "fuzz_guard")]
struct Guard {
    settings: Settings,
}

#[config]
struct Settings {
    authority: Cluster,
    how: How,
    realm: String,
}

/// What becomes of the body meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Untouched,
    Held,
    Released,
    Parts,
    Mapped,
}

/// Only this one may pass.
const TOKEN: &str = "good";

impl Configure for Guard {
    type Config = Settings;

    fn configure(settings: Settings, _: &mut Plugin) -> Result<Self> {
        Ok(Self { settings })
    }
}

impl HttpFilter for Guard {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        let Some(token) = request.headers().get("x-token") else { return Ok(Response::new(StatusCode::UNAUTHORIZED)) };
        let verdict = self.settings.authority.get("/check").header("x-token", token)?.timeout(Duration::from_millis(300)).send().await?;
        if verdict.require_success()?.body() != b"yes" {
            return Ok(Response::new(StatusCode::FORBIDDEN).with_body(self.settings.realm.as_bytes()));
        }
        request.headers_mut().insert("x-checked", "yes")?;
        let response = match self.settings.how {
            How::Untouched => next.run(request).await,
            How::Held => next.run(request.collect(1 << 12).await?).await,
            How::Released => next.run(request.release_headers().collect(1 << 12).await?).await,
            How::Parts => {
                let mut chunks = request.release_headers_to_rewrite().chunks();
                while let Some(chunk) = chunks.next().await? {
                    chunks.replace(chunk.to_ascii_uppercase());
                }
                next.run(chunks).await
            }
            How::Mapped => next.run(request.release_headers_to_rewrite().map_chunks(|chunk: Vec<u8>| chunk.to_ascii_uppercase())).await,
        };
        Ok(response.release_headers_to_rewrite()?.map_chunks(|chunk: Vec<u8>| chunk).into())
    }
}

impl<'de> inproxy::__private::serde::Deserialize<'de> for How {
    fn deserialize<D: inproxy::__private::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = <u8 as inproxy::__private::serde::Deserialize<'de>>::deserialize(deserializer)?;
        Ok([Self::Untouched, Self::Held, Self::Released, Self::Parts, Self::Mapped][usize::from(number % 5)])
    }
}

/// The proxy and what is around it.
#[derive(Arbitrary, Debug)]
struct Scene {
    seed: u64,
    /// One host call in so many is refused; none if it is less than four.
    one_in: u8,
    how: u8,
    hold_headers: bool,
    workers: bool,
    authority: Server,
    upstream: Server,
}

#[derive(Arbitrary, Clone, Debug)]
enum Server {
    Answers,
    Body(Vec<u8>),
    Late(u16),
    InParts(Vec<u8>, u8),
    CutOff,
    HangsUp,
    Status(u16),
    Trailers(Vec<u8>),
    Nobody,
    Nothing,
}

/// What happens next.
#[derive(Arbitrary, Debug)]
enum Step {
    Open { good: bool, body: bool, header: Vec<u8> },
    Body(u8, Vec<u8>),
    End(u8),
    Trailers(u8, Vec<u8>),
    Leave(u8),
    Update(u8),
    Advance(u16),
}

thread_local! {
    static RUNTIME: RefCell<tokio::runtime::Runtime> =
        RefCell::new(tokio::runtime::Builder::new_current_thread().build().expect("a runtime for the model"));
}

/// The target: a scene, then steps.
pub fn fuzz(data: &[u8]) {
    run(data, true);
}

/// All that can be seen of how an input was played: with all VMs in this thread, or each in one of its own.
pub fn recorded(data: &[u8], in_one_thread: bool) -> String {
    let played = run(data, in_one_thread).map(|(proxy, responses)| {
        let access = RUNTIME.with_borrow(|runtime| runtime.block_on(proxy.access_log()));
        format!("{responses:#?}\n{access:#?}\n{:#?}\n{:#?}\n{:#?}", proxy.upstream().requests(), proxy.log(), proxy.costs())
    });
    played.unwrap_or_default()
}

fn run(data: &[u8], in_one_thread: bool) -> Option<(Running, Vec<Option<Given>>)> {
    let mut input = Unstructured::new(data);
    let scene = Scene::arbitrary(&mut input).ok()?;
    RUNTIME.with_borrow(|runtime| runtime.block_on(play(&scene, &mut input, in_one_thread)))
}

async fn play(scene: &Scene, input: &mut Unstructured<'_>, in_one_thread: bool) -> Option<(Running, Vec<Option<Given>>)> {
    let proxy = describe(scene);
    let mut proxy = if in_one_thread { proxy.in_one_thread() } else { proxy }.try_start().await.ok()?;
    let mut exchanges: Vec<Exchange> = Vec::new();
    let mut steps = 0;
    while let (Ok(step), false, 0..64) = (Step::arbitrary(input), input.is_empty(), steps) {
        steps += 1;
        take(&mut proxy, &mut exchanges, step).await;
    }
    let mut responses = Vec::new();
    for mut exchange in exchanges {
        exchange.end().await;
        // It comes, or the test fails: Envoy's own timeouts are in the model.
        responses.push(exchange.response_or_end().await);
    }
    for seen in proxy.upstream().requests() {
        assert_eq!(seen.headers("x-token"), [TOKEN], "what was not checked has come to the upstream: {seen:?}");
        assert_eq!(seen.headers("x-checked"), ["yes"], "half an edit has come to the upstream: {seen:?}");
    }
    let log = proxy.log();
    assert!(!log.iter().any(|line| line.text.contains("panicked")), "{log:#?}");
    Some((proxy, responses))
}

async fn take(proxy: &mut Running, exchanges: &mut Vec<Exchange>, step: Step) {
    let at = |at: u8| usize::from(at) % exchanges.len().max(1);
    match step {
        Step::Open { good, body, header } if exchanges.len() < 8 => {
            let header: Vec<u8> = header.into_iter().filter(|byte| (0x21..0x7f).contains(byte) || *byte >= 0x80).collect();
            let request = Sent::post("/").with_header("x-any", header).with_header("x-token", if good { TOKEN } else { "bad" });
            let opened = proxy.open(&if body { request.with_trailer("x-announced", "") } else { request }).await;
            exchanges.push(opened);
        }
        Step::Body(which, bytes) => {
            let which = at(which);
            if let Some(exchange) = exchanges.get_mut(which) {
                exchange.body(&bytes).await;
            }
        }
        Step::End(which) => {
            let which = at(which);
            if let Some(exchange) = exchanges.get_mut(which) {
                exchange.end().await;
            }
        }
        Step::Trailers(which, value) => {
            let which = at(which);
            if let Some(exchange) = exchanges.get_mut(which) {
                exchange.trailers(&[("x-trailer".to_owned(), value)]).await;
            }
        }
        Step::Leave(which) if !exchanges.is_empty() => exchanges.swap_remove(at(which)).leave().await,
        // Refused, if the proxy does not let it be read.
        Step::Update(how) => drop(proxy.update(configuration(how)).await),
        Step::Advance(time) => proxy.advance(Duration::from_millis(time.into())).await,
        _ => {}
    }
}

fn configuration(how: u8) -> inproxy_test::Value {
    json!({ "authority": "authority", "how": how, "realm": format!("realm {how}") })
}

fn describe(scene: &Scene) -> Proxy<Guard> {
    let mut proxy = Proxy::<Guard>::on(HostKind::Native, "fuzz").configure(configuration(scene.how)).workers(if scene.workers { 2 } else { 1 });
    if scene.hold_headers {
        proxy = proxy.hold_headers();
    }
    if scene.one_in > 3 {
        proxy = proxy.refuse_at_random(scene.seed, scene.one_in.into());
    }
    let upstream = Arc::new(scene.upstream.clone());
    proxy = match &scene.authority {
        Server::Nobody => proxy.cluster_refusing("authority"),
        Server::Nothing => proxy.cluster_without_endpoints("authority"),
        server => {
            let server = server.clone();
            proxy.cluster("authority", move |request| {
                let says_yes = request.header("x-token") == Some(TOKEN);
                server.give(if says_yes { "yes" } else { "no" })
            })
        }
    };
    proxy.upstream(move |_| upstream.give("fine"))
}

impl Server {
    fn give(&self, usual: &str) -> Given {
        let usual = Given::new(200).with_body(usual);
        match self {
            Self::Answers | Self::Nobody | Self::Nothing => usual,
            Self::Body(body) => Given::new(200).with_body(body.clone()),
            Self::Late(time) => usual.after(Duration::from_millis((*time).into())),
            Self::InParts(rest, time) => usual.and_later(Duration::from_millis((*time).into()), rest),
            Self::CutOff => usual.cut_off(),
            Self::HangsUp => Given::hang_up(),
            Self::Status(status) => Given::new(200 + status % 400),
            Self::Trailers(value) => {
                let value: Vec<u8> = value.iter().copied().filter(|byte| *byte >= 0x20 && *byte != 0x7f).collect();
                usual.with_trailer("x-trailer", value)
            }
        }
    }
}
