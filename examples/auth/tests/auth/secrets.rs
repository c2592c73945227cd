//! No secret is in a log, a metric or an answer, at any level, whatever becomes of the request or of the configuration.

use auth::Auth;
use inproxy_test::{HostKind, Proxy, Request, Response, Value, json};

/// A check, requests with secrets that it allows and that it denies, and configurations of it that are refused. What it has secrets for, has them all here.
struct Case {
    kind: &'static str,
    check: Value,
    /// What stands behind the path, and headers.
    requests: &'static [(&'static str, &'static [(&'static str, &'static str)])],
    /// Each with what the log says of it.
    refused: Vec<(Value, &'static str)>,
    secrets: &'static [&'static str],
}

/// SHA-256 of `sesame-hashed`.
const HASHED: &str = "efd8c98c9163cd27d87a6fce89b806db0921c6dd300d704ee4463555370fa049";

/// A check with secrets is added here.
fn cases() -> [Case; 4] {
    [api_key(), basic(), jwt(), ext_authz()]
}

fn api_key() -> Case {
    Case {
        kind: "api_key",
        check: json!({
            "sources": [{ "header": "x-api-key" }, { "query": "key" }, { "cookie": "key" }],
            "consumers": [{ "name": "alice", "key": ["sesame-plain", "sesame-other"] }, { "name": "bob", "sha256": HASHED }],
            "allow_consumers": ["alice"],
        }),
        requests: &[
            ("", &[("x-api-key", "sesame-plain")]),
            ("", &[("x-api-key", "sesame-hashed")]),
            ("", &[("x-api-key", "sesame-wrong")]),
            ("", &[("x-api-key", "sesame-plain"), ("x-api-key", "sesame-other")]),
            ("?a=b&key=sesame-plain", &[]),
            ("?key=sesame-wrong", &[]),
            ("", &[("cookie", "a=b; key=sesame-other")]),
            ("?key=sesame-plain", &[("cookie", "key=sesame-wrong")]),
        ],
        refused: vec![
            (
                json!({ "consumers": [{ "name": "a", "key": "sesame-plain" }, { "name": "b", "key": "sesame-plain" }] }),
                "consumers[0] has the same key",
            ),
            (json!({ "consumers": [{ "name": "a", "key": "sesame-hashed" }, { "name": "b", "sha256": HASHED }] }), "consumers[0] has the same key"),
            (json!({ "consumers": [{ "name": "a", "sha256": "sesame-plain" }] }), "consumers[0].sha256: the SHA-256 of a key has"),
            (json!({ "consumers": [{ "name": "a", "sha256": &HASHED[1..] }] }), "consumers[0].sha256: the SHA-256 of a key has"),
            (json!({ "consumers": [{ "name": "a", "key": 271_828_182 }] }), "consumers[0].key: invalid type: integer"),
            (json!({ "consumers": [{ "name": "a", "key": [271_828_182] }] }), "consumers[0].key[0]: invalid type: integer"),
            (json!({ "consumers": [{ "name": "a", "key": { "sesame-plain": 1 } }] }), "consumers[0].key: invalid type: map"),
            (json!({ "consumers": [{ "name": "a", "sesame-plain": 1 }] }), "consumers[0]: unknown field"),
            (json!({ "consumers": [{ "sesame-plain": "a" }] }), "consumers[0]: unknown field"),
            (json!({ "consumers": { "sesame-plain": "a" } }), "consumers: invalid type: map"),
            (json!({ "consumers": ["sesame-plain"] }), "consumers[0]: invalid type: string"),
            (json!({ "consumers": "sesame-plain" }), "consumers: invalid type: string"),
            (json!({ "consumers": [], "sources": "sesame-plain" }), "sources: invalid type: string"),
            (json!({ "consumers": [], "sources": [{ "header": "x-api-key: sesame-plain" }] }), "sources[0].header: "),
            (json!({ "consumers": [], "sources": [{ "cookie": "key=sesame-plain" }] }), "sources[0].cookie: "),
            (json!({ "consumers": [], "forward": "sesame-plain" }), "forward: invalid type: string"),
            (json!("sesame-plain"), "checks.it.api_key: invalid type: string"),
        ],
        secrets: &["sesame-plain", "sesame-other", "sesame-hashed", "sesame-wrong", "271828182", "271_828_182", HASHED],
    }
}

fn basic() -> Case {
    let rule = |credential: Value| json!({ "rules": [{ "prefix": "/", "methods": ["*"], "credentials": [credential] }] });
    Case {
        kind: "basic",
        check: json!({
            "rules": [{ "prefix": "/", "methods": ["*"], "credentials": ["ok:sesame-plain", { "user": "bob", "sha256": HASHED }, "YTpzZXNhbWUtY29kZWQ="] }],
            "user_header": "x-user",
        }),
        requests: &[
            ("", &[("authorization", "Basic b2s6c2VzYW1lLXBsYWlu")]),
            ("", &[("authorization", "Basic Ym9iOnNlc2FtZS1oYXNoZWQ=")]),
            ("", &[("authorization", "Basic YTpzZXNhbWUtY29kZWQ=")]),
            ("", &[("authorization", "Basic b2s6c2VzYW1lLXdyb25n")]),
            ("", &[("authorization", "Basic ok:sesame-plain")]),
            ("", &[("authorization", "Bearer sesame-token")]),
            ("", &[("authorization", "Basic b2s6c2VzYW1lLXBsYWlu"), ("authorization", "Basic YTpzZXNhbWUtY29kZWQ=")]),
        ],
        refused: vec![
            (rule(json!("sesame-plain")), "rules[0].credentials[0]: it is neither"),
            (rule(json!(":sesame-plain")), "rules[0].credentials[0]: the user name is empty"),
            (rule(json!("c2VzYW1lLXBsYWlu")), "rules[0].credentials[0]: it is neither"),
            (rule(json!(271_828_182)), "rules[0].credentials[0]: invalid type: integer"),
            (rule(json!({ "user": "ok", "sha256": "sesame-plain" })), "rules[0].credentials[0]: sha256: the SHA-256 of a password has"),
            (rule(json!({ "user": "ok", "sha256": 271_828_182 })), "rules[0].credentials[0].sha256: invalid type: integer"),
            (rule(json!({ "user": "ok", "password": "sesame-plain" })), "rules[0].credentials[0]: unknown field"),
            (rule(json!({ "ok": "sesame-plain" })), "rules[0].credentials[0]: unknown field"),
            (rule(json!({ "ok:sesame-plain": 1 })), "rules[0].credentials[0]: unknown field"),
            (rule(json!({ "user": "ok:sesame-plain", "sha256": HASHED })), "rules[0].credentials[0]: the user name"),
            (rule(json!(["ok:sesame-plain"])), "rules[0].credentials[0]: invalid type: sequence"),
            (
                json!({ "rules": [{ "prefix": "/", "methods": ["*"], "credentials": "ok:sesame-plain" }] }),
                "rules[0].credentials: invalid type: string",
            ),
            (json!({ "rules": ["ok:sesame-plain"] }), "rules[0]: invalid type: string"),
            (json!({ "user_header": "ok:sesame-plain" }), "user_header: "),
            (json!("sesame-plain"), "checks.it.basic: invalid type: string"),
        ],
        secrets: &[
            "sesame-plain",
            "sesame-hashed",
            "sesame-coded",
            "sesame-wrong",
            "sesame-token",
            "b2s6c2VzYW1lLXBsYWlu",
            "Ym9iOnNlc2FtZS1oYXNoZWQ",
            "YTpzZXNhbWUtY29kZWQ",
            "b2s6c2VzYW1lLXdyb25n",
            "c2VzYW1lLXBsYWlu",
            "271828182",
            HASHED,
        ],
    }
}

/// The key is `0123456789abcdef0123456789abcdef`.
fn jwt() -> Case {
    let jwks = |key: Value| json!({ "jwks": { "inline": { "keys": [key] } } });
    Case {
        kind: "jwt",
        check: json!({
            "issuer": "issuer",
            "sources": [{ "header": "authorization", "prefix": "Bearer " }, { "query": "access_token" }, { "cookie": "token" }],
            "jwks": { "inline": { "keys": [{ "kty": "oct", "kid": "k", "k": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY" }] } },
        }),
        requests: &[
            (
                "",
                &[(
                    "authorization",
                    "Bearer eyJhbGciOiJIUzI1NiIsImtpZCI6ImsiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJpc3N1ZXIiLCJzdWIiOiJhbGljZSIsImF1ZCI6InNob3AiLCJleHAiOjQxMDI0NDQ4MDB9.hb3dLHFaph1CYU4mK2fEdo1pUEyBeQg3zurGkDzckDM",
                )],
            ),
            (
                "",
                &[(
                    "authorization",
                    "Bearer eyJhbGciOiJIUzI1NiIsImtpZCI6ImsiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJpc3N1ZXIiLCJzdWIiOiJhbGljZSIsImF1ZCI6InNob3AiLCJleHAiOjQxMDI0NDQ4MDB9.MDkczDkGruz3gQeByEUp1odEf2Km4UYC1hpaFHLd3bh",
                )],
            ),
            ("", &[("authorization", "Bearer sesame-token")]),
            (
                "",
                &[
                    (
                        "authorization",
                        "Bearer eyJhbGciOiJIUzI1NiIsImtpZCI6ImsiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJpc3N1ZXIiLCJzdWIiOiJhbGljZSIsImF1ZCI6InNob3AiLCJleHAiOjQxMDI0NDQ4MDB9.hb3dLHFaph1CYU4mK2fEdo1pUEyBeQg3zurGkDzckDM",
                    ),
                    ("cookie", "token=sesame-token"),
                ],
            ),
            (
                "?access_token=eyJhbGciOiJIUzI1NiIsImtpZCI6ImsiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJpc3N1ZXIiLCJzdWIiOiJhbGljZSIsImF1ZCI6InNob3AiLCJleHAiOjQxMDI0NDQ4MDB9.hb3dLHFaph1CYU4mK2fEdo1pUEyBeQg3zurGkDzckDM",
                &[],
            ),
            (
                "",
                &[(
                    "cookie",
                    "a=b; token=eyJhbGciOiJIUzI1NiIsImtpZCI6ImsiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJpc3N1ZXIiLCJzdWIiOiJhbGljZSIsImF1ZCI6InNob3AiLCJleHAiOjQxMDI0NDQ4MDB9.hb3dLHFaph1CYU4mK2fEdo1pUEyBeQg3zurGkDzckDM",
                )],
            ),
        ],
        refused: vec![
            (json!({ "jwks": { "inline": "sesame-plain" } }), "jwks.inline: this must be an object"),
            (json!({ "jwks": "sesame-plain" }), "jwks: "),
            (jwks(json!({ "kty": "oct", "k": "c2VzYW1lLXBsYWlu" })), "jwks.inline: "),
            (jwks(json!({ "kty": "oct", "k": 271_828_182 })), "jwks.inline: "),
            (jwks(json!("sesame-plain")), "jwks.inline: "),
            (json!("sesame-plain"), "checks.it.jwt: invalid type: string"),
        ],
        secrets: &[
            "0123456789abcdef0123456789abcdef",
            "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY",
            "hb3dLHFaph1CYU4mK2fEdo1pUEyBeQg3zurGkDzckDM",
            "MDkczDkGruz3gQeByEUp1odEf2Km4UYC1hpaFHLd3bh",
            "sesame-token",
            "sesame-plain",
            "c2VzYW1lLXBsYWlu",
            "271828182",
        ],
    }
}

/// The service says yes to `sesame-plain`.
fn ext_authz() -> Case {
    Case {
        kind: "ext_authz",
        check: json!({ "http": { "cluster": "side" }, "allowed_headers": ["cookie"], "cache": { "valid_duration": "1m", "key": ["authorization", "cookie"] } }),
        requests: &[
            ("", &[("authorization", "Bearer sesame-plain"), ("cookie", "session=sesame-other")]),
            ("", &[("authorization", "Bearer sesame-wrong")]),
            ("", &[("authorization", "Bearer sesame-broken")]),
        ],
        refused: Vec::new(),
        secrets: &["sesame-plain", "sesame-other", "sesame-wrong", "sesame-broken"],
    }
}

fn service(request: &Request) -> Response {
    match request.header("authorization") {
        Some("Bearer sesame-plain") => Response::new(200),
        Some("Bearer sesame-broken") => Response::new(500),
        _ => Response::new(401),
    }
}

/// The secrets in a text: as they are, in hexadecimal digits, or in base64.
fn leaked(text: &str, secrets: &[&'static str]) -> Vec<&'static str> {
    let text = text.to_lowercase();
    let shown = |secret: &&str| {
        let hex = secret.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
        // What stands before it in what is encoded moves it.
        let base64 = (0..3).map(|before| base64_of(secret.as_bytes(), before));
        [secret.to_lowercase(), hex].into_iter().chain(base64.map(|base64| base64.to_lowercase())).any(|form| text.contains(&form))
    };
    secrets.iter().copied().filter(shown).collect()
}

/// The digits of base64 that a text alone decides, behind so many bytes of something else.
fn base64_of(text: &[u8], before: usize) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: Vec<u8> = text.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    let skipped = [0, 4, 2][before];
    bits[skipped..].chunks_exact(6).map(|six| char::from(DIGITS[six.iter().fold(0, |digit, bit| digit << 1 | usize::from(*bit))])).collect()
}

#[test]
fn a_leak_would_be_found() {
    for (text, leaks) in [
        ("nothing here", false),
        ("it says sesame-plain.", true),
        ("it says SESAME-plain.", true),
        ("736573616d652d706c61696e", true),
        // Of `sesame-plain`, `ok:sesame-plain` and `a:sesame-plain`.
        ("c2VzYW1lLXBsYWlu", true),
        ("b2s6c2VzYW1lLXBsYWlu", true),
        ("YTpzZXNhbWUtcGxhaW4=", true),
        // Of `sesame-pl`.
        ("c2VzYW1lLXBs", false),
    ] {
        assert_eq!(!leaked(text, &["sesame-plain"]).is_empty(), leaks, "{text}");
    }
}

/// Allowed and denied, where a rule only watches, and where one cannot be evaluated.
#[inproxy_test::test]
async fn nothing_tells_a_secret_of_a_request(proxy: Proxy<Auth>) {
    let (host, name) = proxy.host();
    for case in cases() {
        let unclear = "request.headers['x-none'] == ''";
        let mut checks = json!({});
        checks["it"][case.kind] = case.check.clone();
        checks["closed"] = json!({ "denier": {} });
        let configuration = json!({
            "checks": checks,
            "rules": [
                { "name": "watching", "require": "it", "shadow": true },
                { "name": "unclear", "when": unclear, "require": "it", "shadow": true },
                { "match": { "paths": ["/unclear"] }, "when": unclear, "require": "it" },
                { "match": { "paths": ["/both"] }, "require": ["it", "closed"] },
                { "require": { "any": ["closed", "it"] } },
            ],
        });
        let proxy = Proxy::<Auth>::on(host, name).configure(configuration).cluster("side", service).traced().start().await;
        let mut statuses = Vec::new();
        let mut answers = String::new();
        for (query, headers) in case.requests {
            for path in ["/", "/both", "/unclear"] {
                let request = headers.iter().fold(Request::get(&format!("{path}{query}")), |request, (name, value)| request.with_header(name, value));
                let response = proxy.send(request).await;
                statuses.push(response.status());
                answers += &format!("{response:?}");
            }
        }
        assert!(statuses.contains(&200) && statuses.contains(&401) && statuses.contains(&400) && statuses.contains(&500), "{statuses:?}");
        proxy.expect_log("shadow rule watching: allowed").await;
        proxy.expect_log("shadow rule watching: denied").await;
        let log = proxy.log_text();
        assert!(host != HostKind::Envoy || log.contains("[vm->host]"), "Envoy does not tell all");
        for (of, text) in
            [("log", log), ("metrics", proxy.prometheus().await), ("access log", format!("{:?}", proxy.access_log().await)), ("answers", answers)]
        {
            assert_eq!(leaked(&text, case.secrets), Vec::<&str>::new(), "{} in the {of}:\n{text}", case.kind);
        }
    }
}

#[inproxy_test::test]
async fn nothing_tells_a_secret_of_a_configuration_that_is_refused(proxy: Proxy<Auth>) {
    let (host, name) = proxy.host();
    for case in cases() {
        for (check, reason) in &case.refused {
            let mut checks = json!({});
            checks["it"][case.kind] = check.clone();
            let mut proxy = Proxy::<Auth>::on(host, name).configure(json!({ "checks": checks }));
            // For each that is traced an Envoy starts.
            if host != HostKind::Envoy || check.is_string() {
                proxy = proxy.traced();
            }
            let refusal = proxy.refused().await;
            refusal.expect_log(reason);
            refusal.expect_log(&format!("checks.it.{}", case.kind));
            assert_eq!(leaked(refusal.log_text(), case.secrets), Vec::<&str>::new(), "{check}: {}", refusal.log_text());
        }
    }
}
