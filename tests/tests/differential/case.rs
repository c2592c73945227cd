//! A case: a filter in a proxy, and traffic. It is run in the model's wasm engine and in the real Envoy, and both must have made the same calls.

use std::{future::Future, pin::Pin, time::Duration};

use inproxy_test::{
    __private::Broken,
    Exchange, HostKind, Request, Running, TcpExchange,
    trace::{Difference, Trace},
};

/// Starts a case's proxy on a host.
type Start = fn(HostKind, &'static str, Option<Broken>) -> Pin<Box<dyn Future<Output = Running>>>;

/// One case.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) start: Start,
    pub(crate) traffic: Vec<Step>,
}

/// What a client does, or what happens around it.
pub(crate) enum Step {
    /// Sends a whole request, and waits for its response.
    Send(Request),
    /// Sends a request's head; what follows is of this one.
    Open(Request),
    Body(Vec<u8>),
    End,
    Trailers(&'static [(&'static str, &'static str)]),
    /// Waits for the response to the request that is open.
    Response,
    /// Waits until the request that is open is over, with a response or without.
    Over,
    Leave,
    /// Lets so many milliseconds pass.
    Wait(u64),
    /// Gives the filter another configuration.
    Update(&'static str),
    /// Gives it one that it refuses.
    Refuse(&'static str),
    /// Connects to a network filter; what follows is of this connection.
    Connect,
    Say(&'static str),
    /// Waits for these bytes.
    Hear(&'static str),
    /// Ends the client's half, and waits for the other's end.
    Finish,
    /// Closes the connection at once.
    Break,
}

/// How long the real Envoy may take to write what it has called.
const PATIENCE: u32 = 60;
const GLANCE: Duration = Duration::from_millis(50);

/// The time between two steps, of one attempt after the other: on a machine that is busy, pieces that follow each other too soon come to Envoy as one.
const PAUSES: [Duration; 3] = [Duration::from_millis(10), Duration::from_millis(60), Duration::from_millis(300)];

/// The table: each line is a test, and one of `all()`.
macro_rules! cases {
    ($($(#[$attribute:meta])* $name:ident: $filter:ty, $describe:expr, [$($step:expr),* $(,)?];)*) => {
        $(
            #[test]
            $(#[$attribute])*
            fn $name() {
                crate::case::agree(&self::table::$name());
            }
        )*

        mod table {
            use super::*;

            $(
                pub(super) fn $name() -> crate::case::Case {
                    crate::case::Case {
                        name: stringify!($name),
                        start: |host, name, broken| Box::pin(async move {
                            let describe: fn(inproxy_test::Proxy<$filter>) -> inproxy_test::Proxy<$filter> = $describe;
                            describe(inproxy_test::Proxy::<$filter>::on(host, name).traced().broken(broken)).start().await
                        }),
                        traffic: vec![$($step),*],
                    }
                }
            )*
        }

        pub(crate) fn all() -> Vec<crate::case::Case> {
            vec![$(self::table::$name()),*]
        }
    };
}
pub(crate) use cases;

/// Fails unless the model and the real Envoy make the same calls.
pub(crate) fn agree(case: &Case) {
    inproxy_test::__private::run(HostKind::Envoy, case.name, |_| async move {
        let mut found = None;
        for pause in PAUSES {
            found = difference_at(case, None, pause).await;
            if found.is_none() {
                return;
            }
        }
        if let Some(difference) = found {
            panic!("{}: the model (actual) does not call as the real Envoy 1.40 (expected):\n{difference}", case.name);
        }
    });
}

/// Where the model, which may break a rule on purpose, parts from the real Envoy.
pub(crate) async fn difference(case: &Case, broken: Option<Broken>) -> Option<Difference> {
    difference_at(case, broken, PAUSES[0]).await
}

async fn difference_at(case: &Case, broken: Option<Broken>, pause: Duration) -> Option<Difference> {
    let model = run(case, HostKind::Wasm, broken, pause).await.trace();
    assert!(model.calls().count() > 0, "no call was recorded");
    let envoy = run(case, HostKind::Envoy, None, pause).await;
    for _ in 0..PATIENCE {
        let same = model.difference(&envoy.trace()).is_none();
        tokio::time::sleep(GLANCE).await;
        // Had more to come, it would be there by now. What is broken on purpose is not waited for.
        if same || broken.is_some() {
            break;
        }
    }
    model.difference(&envoy.trace())
}

/// What the model makes of a case.
pub(crate) async fn trace(case: &Case, broken: Option<Broken>) -> Trace {
    run(case, HostKind::Wasm, broken, PAUSES[0]).await.trace()
}

async fn run(case: &Case, host: HostKind, broken: Option<Broken>, pause: Duration) -> Running {
    let mut proxy = (case.start)(host, case.name, broken).await;
    let mut open = Open::default();
    for step in &case.traffic {
        step.take(&mut proxy, &mut open, pause).await;
    }
    proxy
}

/// What a client has begun.
#[derive(Default)]
struct Open {
    http: Option<Exchange>,
    tcp: Option<TcpExchange>,
}

// === impl Step ===

impl Step {
    async fn take(&self, proxy: &mut Running, open: &mut Open, pause: Duration) {
        let begun = "a request or a connection is open";
        match self {
            Self::Send(request) => drop(proxy.send(request.clone()).await),
            Self::Open(request) => open.http = Some(proxy.open(request).await),
            Self::Body(bytes) => open.http.as_mut().expect(begun).body(bytes).await,
            Self::End => open.http.as_mut().expect(begun).end().await,
            Self::Trailers(pairs) => {
                let pairs: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
                open.http.as_mut().expect(begun).trailers(&pairs).await;
            }
            Self::Response => drop(open.http.take().expect(begun).response().await),
            Self::Over => drop(open.http.take().expect(begun).response_or_end().await),
            Self::Leave => open.http.take().expect(begun).leave().await,
            Self::Wait(milliseconds) => proxy.advance(Duration::from_millis(*milliseconds)).await,
            Self::Update(configuration) => proxy.update_text(configuration).await.expect("the filter takes it"),
            Self::Connect => open.tcp = Some(proxy.connect().await),
            Self::Say(bytes) => open.tcp.as_mut().expect(begun).send(bytes).await,
            Self::Hear(bytes) => open.tcp.as_mut().expect(begun).expect(bytes).await,
            Self::Finish => {
                let mut client = open.tcp.take().expect(begun);
                client.finish().await;
                client.read_to_end().await;
            }
            Self::Break => open.tcp.take().expect(begun).leave().await,
            Self::Refuse(configuration) => drop(proxy.update_text(configuration).await.expect_err("the filter refuses it")),
        }
        if !matches!(self, Self::Wait(_)) {
            proxy.advance(pause).await;
        }
    }
}
