//! The modes of the examples: what each of their checks and limits costs a request that passes.

use auth::Auth;
use inproxy::__private::Registered;
use inproxy_test::{GrpcCall, GrpcReply, Proxy, Request};
use metrics::Metrics;
use rate_limit::RateLimit;

use crate::{Budget, measured};

/// A mode: its name, its configuration, and the header that makes a request pass.
type Mode = (&'static str, &'static str, Option<(&'static str, &'static str)>);

#[rustfmt::skip]
const AUTH: &[Mode] = &[
    ("auth/no check", r#"{"rules":[{"require":[]}]}"#, None),
    ("auth/list of addresses", r#"{"checks":{"it":{"list":{"entry_type":"IP_ADDRESSES","overrides":["127.0.0.0/8","10.0.0.0/8","2001:db8::/32"]}}},"rules":[{"require":"it"}]}"#, None),
    ("auth/list of strings", r#"{"checks":{"it":{"list":{"value":{"header":"x-user"},"overrides":["alice","bob","carol"]}}},"rules":[{"require":"it"}]}"#, Some(("x-user", "alice"))),
    ("auth/api_key", r#"{"checks":{"it":{"api_key":{"consumers":[{"name":"alice","key":"k"}]}}},"rules":[{"require":"it"}]}"#, Some(("x-api-key", "k"))),
    ("auth/basic", r#"{"checks":{"it":{"basic":{"rules":[{"prefix":"/","methods":["*"],"credentials":["ok:test"]}]}}},"rules":[{"require":"it"}]}"#, Some(("authorization", "Basic b2s6dGVzdA=="))),
    ("auth/jwt HS256", r#"{"checks":{"it":{"jwt":{"issuer":"issuer","audiences":["shop"],"jwks":{"inline":{"keys":[{"kty":"oct","kid":"k","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"}]}},"claims_to_headers":{"sub":"x-user"}}}},"rules":[{"require":"it"}]}"#, Some(("authorization", "Bearer eyJhbGciOiJIUzI1NiIsImtpZCI6ImsiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJpc3N1ZXIiLCJzdWIiOiJhbGljZSIsImF1ZCI6InNob3AiLCJleHAiOjQxMDI0NDQ4MDB9.hb3dLHFaph1CYU4mK2fEdo1pUEyBeQg3zurGkDzckDM"))),
    ("auth/jwt ES256", r#"{"checks":{"it":{"jwt":{"issuer":"issuer","audiences":["shop"],"jwks":{"inline":{"keys":[{"kty":"EC","crv":"P-256","kid":"k","x":"A4mJyz1sjruG51Ru_WeFyRs0nNFn244sW3tM1_lBVas","y":"VPnhxY_cugUkG8j-rRdAVZENysIVlUM_mWkN5rKvMZc"}]}},"claims_to_headers":{"sub":"x-user"}}}},"rules":[{"require":"it"}]}"#, Some(("authorization", "Bearer eyJhbGciOiJFUzI1NiIsImtpZCI6ImsiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJpc3N1ZXIiLCJzdWIiOiJhbGljZSIsImF1ZCI6InNob3AiLCJleHAiOjQxMDI0NDQ4MDB9.HzrhgZ3tEDSxANxp8q0AzHY8dG_eTmh7GwQEtLDDCxvtVTVI0KiXPAVCI89OPQ7E4p1MXnUrFCMsw7OH2NmVeA"))),
    ("auth/jwt RS256", r#"{"checks":{"it":{"jwt":{"issuer":"issuer","audiences":["shop"],"jwks":{"inline":{"keys":[{"kty":"RSA","kid":"k","n":"vEA-NhZp3vF4hnv2EWcynmfI_WW4XJmmxdXTiQM8CPHv7OSKVmtOFhnZBFEm6nG9BOfZpoSVYfYWTRwCABaq3hNdWTPNNlI62DvtF-lPIiz5kv5AQHDkvZ9SOqhG8HO1tGSBt8blUesTc6lL2csN_vZhiKfQ09aqu7wMT77xZp0hQ1GiDTAUsBMRIUUyELNb4-ONMiSgMsQIqxp5xzw5xAnffRLxIkQvBTwYsEkusE-PHrr0sAywIg97i4k3wqoJRJ2X1xF5XRcikTCYCGyTnbwDm4Rli9gMH5Q2JYE6SiDzlgbVO0wQGwGAYK4lvPZIWzP_5KGLa8e2Q4m7Fe0C8w","e":"AQAB"}]}},"claims_to_headers":{"sub":"x-user"}}}},"rules":[{"require":"it"}]}"#, Some(("authorization", "Bearer eyJhbGciOiJSUzI1NiIsImtpZCI6ImsiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJpc3N1ZXIiLCJzdWIiOiJhbGljZSIsImF1ZCI6InNob3AiLCJleHAiOjQxMDI0NDQ4MDB9.bWye2Q-OsM39OaGc0yFxrrLnofc5DNTUX2mYQBrxsz6xweNUZZ0jw9Jkp9KrupybPgOFrUyy1GnR8XxpDYyi8z10k3KmB6FZ7g0fSNd9Bn20r4AYeLCWEpOq6JidV7POdTWfwmXDXdii17KpaS8o669D8MqiMP90zFwNC1-rvYT61U2dBlXsx0l-dA2_qVXg9rSaOSvXXS8Kw3_5FUtroegY2_wNNkFSAEk5oGyz0t3o5D4SXE4LEogRnoTXtZHLna_Ksyd2RQgoXqXqSv3JBB6dF_oY9EQYI2n4uSIDNXRlLxY7n6kyFXqu-UF0EnxW1a9TwpogjwfDxeBbmhaCjg"))),
    ("auth/jwt EdDSA", r#"{"checks":{"it":{"jwt":{"issuer":"issuer","audiences":["shop"],"jwks":{"inline":{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":"VBnajRF_xUXcOE8sA6yGMymhrJDnAM5iaKlGKBdK-Bg"}]}},"claims_to_headers":{"sub":"x-user"}}}},"rules":[{"require":"it"}]}"#, Some(("authorization", "Bearer eyJhbGciOiJFZERTQSIsImtpZCI6ImsiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJpc3N1ZXIiLCJzdWIiOiJhbGljZSIsImF1ZCI6InNob3AiLCJleHAiOjQxMDI0NDQ4MDB9.kD1hWZPx-UaNAY1RhBz-uWZXe1XGmnitTjLmkkeT4909G6F3fYdxuW-EYYRmqBeVHpgsC9esmw0LZLIq7uKyBw"))),
    ("auth/ext_authz over HTTP", r#"{"checks":{"it":{"ext_authz":{"http":{"cluster":"side"}}}},"rules":[{"require":"it"}]}"#, None),
    ("auth/ext_authz over gRPC", r#"{"checks":{"it":{"ext_authz":{"grpc":{"cluster":"authz"}}}},"rules":[{"require":"it"}]}"#, None),
    ("auth/ext_authz, decided before", r#"{"checks":{"it":{"ext_authz":{"http":{"cluster":"side"},"cache":{"valid_duration":"1h","key":[]}}}},"rules":[{"require":"it"}]}"#, None),
];

#[rustfmt::skip]
const RATE_LIMIT: &[Mode] = &[
    ("rate-limit/bucket", r#"{"limits":[{"name":"all","dimensions":{"client":"source_address"},"bucket":{"max_tokens":1000,"fill_interval":"1s"}}]}"#, None),
    ("rate-limit/quota", r#"{"limits":[{"name":"all","dimensions":{"client":"source_address"},"quota":{"max_amount":1000,"valid_duration":"60s"}}]}"#, None),
    ("rate-limit/quota, at the same time", r#"{"limits":[{"name":"all","dimensions":{"client":"source_address"},"quota":{"max_amount":1000}}]}"#, None),
    ("rate-limit/global", r#"{"limits":[{"name":"all","global":{"cluster":"limits","domain":"shop","descriptors":[[{"key":"client","value":"source_address"}]]}}]}"#, None),
];

#[rustfmt::skip]
const METRICS: &[Mode] = &[
    ("metrics/one metric with two labels", r#"{"metrics":[{"name":"requests","kind":"COUNTER","labels":{"code":"response.code","method":"request.method"}}]}"#, None),
    ("metrics/Istio's", r#"{"istio":{}}"#, None),
    ("metrics/Istio's, with metadata exchange", r#"{"istio":{"metadata_exchange":true}}"#, Some(("x-envoy-peer-metadata", "ChMKBUxBQkVMUxIKKggKBgoBYRIBYg=="))),
    ("metrics/Istio's, of a gRPC call", r#"{"istio":{}}"#, Some(("content-type", "application/grpc"))),
];

/// With the body: over gRPC, with the headers held.
const BODY: &str =
    r#"{"checks":{"it":{"ext_authz":{"grpc":{"cluster":"authz"},"with_request_body":{"max_request_bytes":8192}}}},"rules":[{"require":"it"}]}"#;

/// What is asked over gRPC, and says yes.
pub(crate) fn services<F: Registered>(proxy: Proxy<F>) -> Proxy<F> {
    // `CheckResponse` with the status 0, and `RateLimitResponse` with the code OK.
    let (allowed, granted): (&[u8], &[u8]) = (&[0x0a, 0x00], &[0x08, 0x01]);
    proxy
        .grpc("authz", move |_: &GrpcCall| GrpcReply::message(allowed))
        .grpc("limits", move |_: &GrpcCall| GrpcReply::message(granted))
        .hold_headers()
}

pub(crate) async fn all() -> Vec<(&'static str, Budget)> {
    let mut budgets = Vec::new();
    let request = |header: Option<(&str, &str)>| header.map_or_else(|| Request::get("/"), |(name, value)| Request::get("/").with_header(name, value));
    for (name, configuration, header) in AUTH {
        budgets.push((*name, measured::<Auth, Auth>(configuration, &request(*header)).await));
    }
    let post = Request::post("/").with_body(vec![b'x'; 1024]);
    budgets.push(("auth/ext_authz over gRPC, with 1 KB of body", measured::<Auth, Auth>(BODY, &post).await));
    for (name, configuration, header) in RATE_LIMIT {
        budgets.push((*name, measured::<RateLimit, RateLimit>(configuration, &request(*header)).await));
    }
    for (name, configuration, header) in METRICS {
        let message = if name.ends_with("call") { vec![0, 0, 0, 0, 3, 1, 2, 3] } else { Vec::new() };
        budgets.push((*name, measured::<Metrics, Metrics>(configuration, &request(*header).with_body(message)).await));
    }
    budgets
}
