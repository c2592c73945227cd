//! What is run, and what is seen of it.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use inproxy::{__private::Registered, abi::Status};
use inproxy_test::{HostKind, Proxy, Request, Running};
use serde_json::Value;

use crate::outcome::{Outcome, Policy};

/// A filter with its configuration, what is around it, and a request.
pub struct Case {
    pub name: &'static str,
    pub policy: Policy,
    /// What comes of some calls beside the policy, and why.
    pub excuses: Vec<Excuse>,
    /// The filter tells each error in its answer.
    pub tells_errors: bool,
    run: Runner,
}

/// Runs a case on a host, with a fault or without.
type Runner = Box<dyn Fn(HostKind, Option<&Fault>) -> Run + Send + Sync>;

/// What may come of a call's refusal beside what the policy says.
pub struct Excuse {
    pub call: &'static str,
    pub outcome: Outcome,
    pub because: &'static str,
}

/// The n-th call of a host function is refused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    pub call: &'static str,
    pub nth: u64,
    pub status: u32,
}

/// What was seen.
#[derive(Debug, PartialEq, Eq)]
pub enum Run {
    /// The configuration was refused, with this log.
    Refused(String),
    Served(Box<Served>),
    /// Nothing ended it: the message with which the model says so.
    Hung(String),
}

/// A request that came to an end.
#[derive(Debug, PartialEq, Eq)]
pub struct Served {
    /// The client's, 0 if it was reset.
    pub status: u16,
    pub answer: String,
    pub upstream: String,
    /// Whether the upstream got anything.
    pub reached: bool,
    /// The answer to the next request of the same kind.
    pub next: u16,
    pub log: String,
    /// How often each function was called until the proxy had started, and until the first request was over.
    pub calls: BTreeMap<&'static str, (u64, u64)>,
    /// Which uses of `proxy_set_effective_context` are the dispatcher's.
    pub routed: Vec<u64>,
}

/// A case that is described.
pub struct Draft<F> {
    name: &'static str,
    policy: Policy,
    configuration: String,
    exchange: Exchange,
    excuses: Vec<Excuse>,
    tells_errors: bool,
    around: Box<dyn Fn(Proxy<F>) -> Proxy<F> + Send + Sync>,
    before: Duration,
    after: Duration,
}

/// What the client does.
enum Exchange {
    Http(Request),
    /// Sends these bytes, and ends.
    Tcp(&'static str),
}

/// A case whose filter denies when it fails.
pub fn deny<F: Registered + 'static>(name: &'static str, configuration: Value, request: Request) -> Draft<F> {
    Draft::new(name, Policy::Deny, configuration, Exchange::Http(request))
}

/// A case whose filter allows when it fails.
pub fn allow<F: Registered + 'static>(name: &'static str, configuration: Value, request: Request) -> Draft<F> {
    Draft::new(name, Policy::Allow, configuration, Exchange::Http(request))
}

/// A case of a network filter that denies when it fails.
pub fn tcp<F: Registered + 'static>(name: &'static str, configuration: Value, bytes: &'static str) -> Draft<F> {
    Draft::new(name, Policy::Deny, configuration, Exchange::Tcp(bytes))
}

// === impl Draft ===

impl<F: Registered + 'static> Draft<F> {
    fn new(name: &'static str, policy: Policy, configuration: Value, exchange: Exchange) -> Self {
        Self {
            name,
            policy,
            configuration: configuration.to_string(),
            exchange,
            excuses: Vec::new(),
            tells_errors: false,
            around: Box::new(|proxy| proxy),
            before: Duration::ZERO,
            after: Duration::ZERO,
        }
    }

    /// What is around the filter.
    pub fn with(mut self, around: impl Fn(Proxy<F>) -> Proxy<F> + Send + Sync + 'static) -> Self {
        self.around = Box::new(around);
        self
    }

    /// How long it takes until the request comes, and how long is waited when it is over, in milliseconds.
    pub fn waits(mut self, before: u64, after: u64) -> Self {
        (self.before, self.after) = (Duration::from_millis(before), Duration::from_millis(after));
        self
    }

    /// What may come of the refusal of these calls beside the policy, and why.
    pub fn but<const N: usize>(mut self, calls: [&'static str; N], outcome: Outcome, because: &'static str) -> Self {
        self.excuses.extend(calls.map(|call| Excuse { call, outcome, because }));
        self
    }

    /// The filter makes no failure of an error, but tells it in its answer.
    pub fn tells_errors(mut self) -> Self {
        self.tells_errors = true;
        self
    }

    async fn serve(&self, host: HostKind, fault: Option<&Fault>) -> Run {
        let mut proxy = (self.around)(Proxy::<F>::on(host, "sweep").configure_text(&self.configuration));
        if let Some(fault) = fault {
            proxy = proxy.refuse_nth(fault.call, fault.nth, Status::from_raw(fault.status));
        }
        let proxy = match proxy.try_start().await {
            Ok(proxy) => proxy,
            Err(refusal) => return Run::Refused(format!("{refusal:?}")),
        };
        let started = proxy.costs().unwrap().host_calls;
        proxy.advance(self.before).await;
        let (status, answer) = self.exchange(&proxy).await;
        proxy.advance(self.after).await;
        let calls = proxy.costs().unwrap().host_calls.into_iter().map(|(call, all)| (call, (started.get(call).copied().unwrap_or(0), all))).collect();
        let requests = proxy.upstream();
        let connections: Vec<_> = proxy.tcp_seen().into_iter().filter(|seen| !seen.bytes.is_empty()).collect();
        let reached = !requests.requests().is_empty() || !connections.is_empty();
        let upstream = format!("{:?} {connections:?}", requests.requests());
        // The pause after which a VM that died has a successor.
        proxy.advance(Duration::from_millis(2500)).await;
        let (next, _) = self.exchange(&proxy).await;
        let log = proxy.log().iter().map(|line| format!("{line}\n")).collect();
        Run::Served(Box::new(Served { status, answer, upstream, reached, next, log, calls, routed: proxy.routed() }))
    }

    async fn exchange(&self, proxy: &Running) -> (u16, String) {
        match &self.exchange {
            Exchange::Http(request) => {
                let mut exchange = proxy.open(request).await;
                if !request.bytes().is_empty() {
                    exchange.body(request.bytes()).await;
                    exchange.end().await;
                }
                match exchange.response_or_end().await {
                    Some(response) if response.is_whole() => (response.status(), format!("{response:?}")),
                    other => (0, format!("{other:?}")),
                }
            }
            Exchange::Tcp(bytes) => {
                let mut client = proxy.connect().await;
                client.send(bytes).await;
                client.finish().await;
                let read = client.read_to_end().await;
                (if read.is_empty() { 0 } else { 200 }, String::from_utf8_lossy(&read).into_owned())
            }
        }
    }
}

impl<F: Registered + 'static> From<Draft<F>> for Case {
    fn from(mut draft: Draft<F>) -> Self {
        let excuses = std::mem::take(&mut draft.excuses);
        let (name, policy, tells_errors) = (draft.name, draft.policy, draft.tells_errors);
        let run = move |host, fault: Option<&Fault>| {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let ran = catch_unwind(AssertUnwindSafe(|| runtime.block_on(draft.serve(host, fault))));
            ran.unwrap_or_else(|panic| Run::Hung(panic.downcast_ref::<String>().cloned().unwrap_or_default()))
        };
        Self { name, policy, excuses, tells_errors, run: Box::new(run) }
    }
}

// === impl Case ===

impl Case {
    pub fn run(&self, host: HostKind, fault: Option<&Fault>) -> Run {
        (self.run)(host, fault)
    }
}
