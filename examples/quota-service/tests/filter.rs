//! `rate-limit` asks the service, which asks the real Redis.

#![allow(missing_docs, clippy::disallowed_methods, clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "test code")]

mod server;

use std::{net::SocketAddr, str::FromStr, thread, time::Duration};

use inproxy_test::{GrpcCall, GrpcReply, Proxy, Request, Running, json};
use quota_service::{
    Config, Quotas, RateLimitServer,
    proto::envoy::service::ratelimit::v3::{RateLimitRequest, RateLimitResponse},
};
use rate_limit::RateLimit;
use server::Redis;
use tokio::{net::TcpListener, runtime::Runtime};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{
    codegen::http::uri::PathAndQuery,
    transport::{Endpoint, Server},
};
use tonic_prost::ProstCodec;

/// The service, with a runtime of its own while it serves.
struct Service {
    serving: Option<Runtime>,
    address: SocketAddr,
    config: Config,
}

impl Service {
    fn start(redis: &Redis, quota: &str) -> Self {
        let config = Config::parse(format!(r#"{{"quotas":[{quota}]}}"#).as_bytes()).unwrap().with_redis(&redis.url());
        let mut service = Self { serving: None, address: ([127, 0, 0, 1], 0).into(), config };
        service.serve();
        service
    }

    /// At the same address again, if it was stopped.
    fn serve(&mut self) {
        let (runtime, config, address) = (Runtime::new().unwrap(), self.config.clone(), self.address);
        let listener = outside(|| runtime.block_on(TcpListener::bind(address))).unwrap();
        self.address = listener.local_addr().unwrap();
        runtime.spawn(async move {
            let quotas = Quotas::connect(&config).await.unwrap();
            Server::builder().add_service(RateLimitServer::new(quotas)).serve_with_incoming(TcpListenerStream::new(listener)).await.unwrap();
        });
        self.serving = Some(runtime);
    }

    fn stop(&mut self) {
        if let Some(runtime) = self.serving.take() {
            outside(|| runtime.shutdown_timeout(Duration::from_secs(5)));
        }
    }

    /// Hands a call on: the proxy knows only the servers of the test.
    fn hands_on(&self) -> impl Fn(&GrpcCall) -> GrpcReply + Send + Sync + use<> {
        let address = self.address;
        move |call: &GrpcCall| {
            let path = PathAndQuery::from_str(&format!("/{}/{}", call.service(), call.method())).unwrap();
            let question = <RateLimitRequest as prost::Message>::decode(call.message()).unwrap();
            let answer = outside(|| {
                Runtime::new().unwrap().block_on(async {
                    let channel =
                        Endpoint::new(format!("http://{address}")).unwrap().connect().await.map_err(|_| tonic::Status::unavailable("down"))?;
                    let mut client = tonic::client::Grpc::new(channel);
                    client.ready().await.map_err(|_| tonic::Status::unavailable("down"))?;
                    let codec = ProstCodec::<RateLimitRequest, RateLimitResponse>::default();
                    client.unary(tonic::Request::new(question), path, codec).await
                })
            });
            match answer {
                Ok(answer) => GrpcReply::message(prost::Message::encode_to_vec(answer.get_ref())),
                Err(status) => GrpcReply::status(i32::from(status.code()).try_into().unwrap(), status.message()),
            }
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Where nothing else waits: a thread of its own.
fn outside<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(run).join().unwrap())
}

async fn admitted(proxy: &Running, requests: u32) -> u32 {
    let mut admitted = 0;
    for _ in 0..requests {
        admitted += u32::from(proxy.send(Request::get("/").with_header("x-from", "reviews")).await.status() == 200);
    }
    admitted
}

fn configured(proxy: Proxy<RateLimit>, service: &Service, fail_open: bool) -> Proxy<RateLimit> {
    let descriptors = json!([[{ "key": "source", "value": { "header": "x-from" } }]]);
    let global = json!({ "cluster": "quotas", "domain": "requestcount", "descriptors": descriptors, "timeout": "5s" });
    proxy.configure(json!({ "limits": [{ "name": "requestcount", "fail_open": fail_open, "global": global }] })).grpc("quotas", service.hands_on())
}

#[inproxy_test::test]
async fn what_the_service_counts_is_what_passes(proxy: Proxy<RateLimit>) {
    let redis = Redis::start();
    let overrides = r#"[{"dimensions":{"source":"reviews"},"max_amount":3}]"#;
    for algorithm in [r#""rate_limit_algorithm":"FIXED_WINDOW""#, r#""rate_limit_algorithm":"ROLLING_WINDOW","bucket_duration":"10s""#] {
        let quota = format!(r#"{{"name":"requestcount","max_amount":50,"valid_duration":"1h",{algorithm},"overrides":{overrides}}}"#);
        let service = Service::start(&redis, &quota);
        let (host, name) = proxy.host();
        let proxy = configured(Proxy::on(host, name), &service, false).start().await;
        assert_eq!(admitted(&proxy, 7).await, 3);
        let refused = proxy.send(Request::get("/").with_header("x-from", "reviews")).await;
        assert_eq!((refused.status(), refused.header("x-ratelimit-limit"), refused.header("x-ratelimit-remaining")), (429, Some("3"), Some("0")));
        let reset: u64 = refused.header("x-ratelimit-reset").unwrap().parse().unwrap();
        assert!((3500..=3600).contains(&reset), "{reset}");
        assert_eq!(proxy.send(Request::get("/").with_header("x-from", "elsewhere")).await.header("x-ratelimit-remaining"), Some("49"));
    }
}

#[inproxy_test::test]
async fn when_the_service_stops_the_operator_decides_and_when_it_is_back_it_counts_on(proxy: Proxy<RateLimit>) {
    let redis = Redis::start();
    let (host, name) = proxy.host();
    for fail_open in [false, true] {
        let mut service =
            Service::start(&redis, &format!(r#"{{"name":"requestcount","max_amount":{},"valid_duration":"1h"}}"#, if fail_open { 8 } else { 4 }));
        let proxy = configured(Proxy::on(host, name), &service, fail_open).start().await;
        assert_eq!(admitted(&proxy, 2).await, 2);
        service.stop();
        assert_eq!(admitted(&proxy, 5).await, if fail_open { 5 } else { 0 });
        service.serve();
        assert_eq!(admitted(&proxy, 5).await, 2, "{fail_open}");
    }
}
