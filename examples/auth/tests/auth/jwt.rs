//! Tokens, and what becomes of requests with them. The tokens are those of `jwt-vectors.json`, or signed here.

mod remote;

use auth::Auth;
use base64ct::{Base64UrlUnpadded, Encoding};
use ed25519_dalek::{Signer, SigningKey};
use inproxy_test::{Proxy, Request, Response, Running, Value, json};

/// A private key, and its public one as an issuer shows it.
struct Issued {
    id: String,
    key: SigningKey,
}

// === impl Issued ===

impl Issued {
    fn new(number: u8) -> Self {
        Self { id: format!("key-{number}"), key: SigningKey::from_bytes(&[number; 32]) }
    }

    fn public(&self) -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": self.id, "x": Base64UrlUnpadded::encode_string(self.key.verifying_key().as_bytes()) })
    }

    fn token(&self, claims: &Value) -> String {
        let parts = [json!({ "alg": "EdDSA", "kid": self.id }), claims.clone()];
        let signed = parts.map(|part| Base64UrlUnpadded::encode_string(part.to_string().as_bytes())).join(".");
        let signature = self.key.sign(signed.as_bytes()).to_bytes();
        format!("{signed}.{}", Base64UrlUnpadded::encode_string(&signature))
    }
}

/// Claims that are right.
fn alice() -> Value {
    json!({ "iss": "https://issuer.example", "sub": "alice", "aud": ["shop"], "exp": 4_102_444_800_u64, "realm": { "roles": ["user", "admin"] }, "level": 3 })
}

/// A check of the name `tokens` for all requests, with keys that are in it unless it says where they are.
fn wanting(proxy: Proxy<Auth>, settings: Value) -> Proxy<Auth> {
    proxy.configure(json!({ "checks": { "tokens": { "jwt": check(settings) } }, "rules": [{ "require": "tokens" }] }))
}

fn check(settings: Value) -> Value {
    let mut check = json!({ "issuer": "https://issuer.example", "audiences": ["shop"], "jwks": { "inline": { "keys": [Issued::new(1).public()] } } });
    check.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    check
}

fn with_token(token: &str) -> Request {
    Request::get("/").with_header("authorization", format!("Bearer {token}"))
}

async fn with_claims(proxy: &Running, claims: &Value) -> Response {
    proxy.send(with_token(&Issued::new(1).token(claims))).await
}

#[inproxy_test::test]
async fn tokens_of_each_algorithm_pass(proxy: Proxy<Auth>) {
    let vectors: Value = serde_json::from_str(include_str!("../jwt-vectors.json")).unwrap();
    let tokens = vectors["tokens"].as_array().unwrap();
    let keys: Vec<&Value> = tokens.iter().map(|vector| &vector["key"]).collect();
    let proxy = wanting(proxy, json!({ "jwks": { "inline": { "keys": keys } } })).start().await;
    for vector in tokens {
        assert_eq!(proxy.send(with_token(vector["token"].as_str().unwrap())).await.status(), 200, "{}", vector["name"]);
    }
    let mut refused = 0;
    // One of them has a key that is among these too, and may do more there.
    for vector in vectors["refused"].as_array().unwrap().iter().filter(|vector| vector["key"].get("alg").is_none()) {
        assert_eq!(proxy.send(with_token(vector["token"].as_str().unwrap())).await.status(), 401, "{}", vector["name"]);
        refused += 1;
    }
    assert!(tokens.len() > 12 && refused > 10);
    assert_eq!(proxy.upstream().requests().len(), tokens.len());
}

#[inproxy_test::test]
async fn what_is_refused_is_told_in_the_words_of_envoy(proxy: Proxy<Auth>) {
    let proxy = wanting(proxy, json!({ "realm": "shop" })).start().await;
    let changed = |name: &str, value: Value| {
        let mut claims = alice();
        claims[name] = value;
        Issued::new(1).token(&claims)
    };
    let good = Issued::new(1).token(&alice());
    for (token, status, says) in [
        (changed("exp", json!(1_600_000_000)), 401, "UNAUTHENTICATED:tokens:Jwt is expired"),
        (changed("nbf", json!(4_000_000_000_u64)), 401, "UNAUTHENTICATED:tokens:Jwt not yet valid"),
        (changed("iss", json!("https://evil.example")), 401, "UNAUTHENTICATED:tokens:Jwt issuer is not configured"),
        (changed("aud", json!("bank")), 403, "PERMISSION_DENIED:tokens:Audiences in Jwt are not allowed"),
        (changed("exp", json!("tomorrow")), 401, "UNAUTHENTICATED:tokens:Jwt payload [exp] field is not a time"),
        (Issued::new(2).token(&alice()), 401, "UNAUTHENTICATED:tokens:Jwks doesn't have key to match kid or alg from Jwt"),
        (Issued { id: "key-1".to_owned(), ..Issued::new(2) }.token(&alice()), 401, "UNAUTHENTICATED:tokens:Jwt verification fails"),
        (good.replacen('e', "f", 1), 401, "UNAUTHENTICATED:tokens:Jwt header is an invalid JSON"),
        (format!("{good}="), 401, "UNAUTHENTICATED:tokens:Jwt signature is an invalid Base64url encoded"),
        ("opaque".to_owned(), 401, "UNAUTHENTICATED:tokens:Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections"),
        (format!("{good}{}", "A".repeat(8192)), 401, "UNAUTHENTICATED:tokens:Jwt is too long"),
    ] {
        let response = proxy.send(with_token(&token)).await;
        assert_eq!((response.status(), response.text()), (status, says));
        assert_eq!(response.headers("www-authenticate"), [r#"Bearer realm="shop", error="invalid_token""#], "{says}");
    }
    let response = proxy.send(Request::get("/")).await;
    assert_eq!((response.status(), response.text()), (401, "UNAUTHENTICATED:tokens:Jwt is missing"));
    assert_eq!(response.headers("www-authenticate"), [r#"Bearer realm="shop""#]);
    let both = Request::get("/?access_token=x").with_header("authorization", format!("Bearer {good}"));
    let response = proxy.send(both).await;
    assert_eq!((response.status(), response.text()), (401, "UNAUTHENTICATED:tokens:There is more than one Jwt"));
    assert_eq!(response.headers("www-authenticate"), [r#"Bearer realm="shop", error="invalid_request""#]);
    // Envoy makes one value of the two, with a comma between them.
    assert_eq!(proxy.send(with_token(&good).with_header("authorization", "Bearer x")).await.status(), 401);
    assert!(proxy.upstream().requests().is_empty());
    let details: Vec<_> = proxy.access_log().await.into_iter().map(|access| access.details).collect();
    assert!(details.iter().any(|details| details.contains("jwt_authn_access_denied{Jwt_is_expired}")), "{details:?}");
}

#[inproxy_test::test]
async fn a_client_of_grpc_gets_the_code(proxy: Proxy<Auth>) {
    let proxy = wanting(proxy, json!({})).start().await;
    let response = proxy.send(Request::post("/a.B/C").with_header("content-type", "application/grpc")).await;
    assert_eq!(
        (response.status(), response.header("grpc-status"), response.header("grpc-message")),
        (200, Some("16"), Some("tokens:Jwt is missing"))
    );
}

#[inproxy_test::test]
async fn the_upstream_is_told_what_the_issuer_says_and_not_the_token(proxy: Proxy<Auth>) {
    let headers = json!({ "sub": "x-user", "realm.roles": "x-roles", "level": "x-level", "missing": "x-missing" });
    let proxy = wanting(proxy, json!({ "claims_to_headers": headers, "payload_header": "x-payload" })).start().await;
    let token = Issued::new(1).token(&alice());
    let mut request = with_token(&token).with_header("x-other", "stays");
    for name in ["x-user", "X-Roles", "x-level", "x-missing", "x-payload"] {
        request = request.with_header(name, "root").with_header(name, "admin");
    }
    assert_eq!(proxy.send(request).await.status(), 200);
    let seen = proxy.upstream().request();
    assert_eq!(seen.headers("x-user"), ["alice"]);
    assert_eq!(seen.headers("x-roles"), ["user,admin"]);
    assert_eq!(seen.headers("x-level"), ["3"]);
    assert_eq!(seen.header("x-missing"), None);
    assert_eq!(seen.headers("x-payload"), [token.split('.').nth(1).unwrap()]);
    assert_eq!((seen.header("authorization"), seen.header("x-other")), (None, Some("stays")));
}

#[inproxy_test::test]
async fn a_token_may_be_elsewhere_and_may_be_passed_on(proxy: Proxy<Auth>) {
    let (host, name) = proxy.host();
    let token = Issued::new(1).token(&alice());
    let proxy = wanting(Proxy::on(host, name), json!({})).start().await;
    assert_eq!(proxy.send(Request::get(&format!("/a?b=c&access_token={token}&d"))).await.status(), 200);
    assert_eq!(proxy.upstream().request().path(), "/a?b=c&d");
    let sources = json!([{ "cookie": "session" }, { "header": "x-jwt" }]);
    let proxy = wanting(Proxy::on(host, name), json!({ "sources": sources })).start().await;
    assert_eq!(proxy.send(Request::get("/").with_header("cookie", format!("a=b; session={token}"))).await.status(), 200);
    assert_eq!(proxy.upstream().request().headers("cookie"), ["a=b"]);
    assert_eq!(proxy.send(with_token(&token)).await.status(), 401);
    let proxy = wanting(Proxy::on(host, name), json!({ "sources": sources, "forward": true })).start().await;
    assert_eq!(proxy.send(Request::get("/").with_header("x-jwt", &token)).await.status(), 200);
    assert_eq!(proxy.upstream().request().header("x-jwt"), Some(token.as_str()));
}

/// Whatever lets a request pass: nobody but an issuer says who a client is.
#[inproxy_test::test]
async fn what_a_client_says_in_the_filters_headers_never_arrives(proxy: Proxy<Auth>) {
    let (host, name) = proxy.host();
    let settings = |more: Value| {
        let mut settings = json!({ "claims_to_headers": { "sub": "x-user" } });
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        check(settings)
    };
    let keys = json!({ "api_key": { "consumers": [{ "name": "bob", "key": "bob-key" }] } });
    let claimed = |request: Request| request.with_header("x-user", "root");
    for (check, require, request) in [
        (settings(json!({})), json!([]), Request::get("/")),
        (settings(json!({})), json!({ "any": ["tokens", "keys"] }), Request::get("/").with_header("x-api-key", "bob-key")),
        (settings(json!({ "allow_missing": true })), json!("tokens"), Request::get("/")),
        (settings(json!({ "allow_missing_or_failed": true })), json!("tokens"), with_token("broken")),
        (
            settings(json!({ "bypass_cors_preflight": true })),
            json!("tokens"),
            Request::new("OPTIONS", "/").with_header("origin", "https://a.example").with_header("access-control-request-method", "PUT"),
        ),
    ] {
        let configuration = json!({ "checks": { "tokens": { "jwt": check }, "keys": keys }, "rules": [{ "require": require }] });
        let proxy = Proxy::<Auth>::on(host, name).configure(configuration.clone()).start().await;
        assert_eq!(proxy.send(claimed(request)).await.status(), 200, "{configuration}");
        assert_eq!(proxy.upstream().request().header("x-user"), None, "{configuration}");
    }
    let proxy = wanting(Proxy::on(host, name), json!({ "allow_missing": true })).start().await;
    assert_eq!(proxy.send(with_token("broken")).await.status(), 401);
}

#[inproxy_test::test]
async fn other_filters_find_claims_in_the_filter_state(proxy: Proxy<Auth>) {
    let when = "filter_state['wasm.user'] == b'alice'";
    let proxy = wanting(proxy, json!({ "claims_to_filter_state": { "sub": "user" } }))
        .then::<Auth>(json!({ "rules": [{ "when": when, "require": [] }] }))
        .start()
        .await;
    assert_eq!(with_claims(&proxy, &alice()).await.status(), 200);
    let mut bob = alice();
    bob["sub"] = json!("bob");
    assert_eq!(with_claims(&proxy, &bob).await.status(), 403);
}

#[inproxy_test::test]
async fn nothing_of_a_token_is_logged(proxy: Proxy<Auth>) {
    let proxy = wanting(proxy, json!({})).start().await;
    let (good, bad) = (Issued::new(1).token(&alice()), Issued::new(2).token(&json!({ "sub": "s3cret", "exp": 1 })));
    for token in [&good, &bad, &format!("{good}="), &bad.replace('.', "")] {
        proxy.send(with_token(token)).await;
        proxy.send(Request::get(&format!("/?access_token={token}"))).await;
    }
    let log: String = proxy.log().into_iter().map(|line| line.text + "\n").collect();
    for part in good.split('.').chain(bad.split('.')).chain(["alice", "s3cret", "issuer.example"]) {
        assert!(!log.contains(part), "{log}");
    }
}

#[inproxy_test::test]
async fn a_check_that_cannot_be_meant_is_refused(proxy: Proxy<Auth>) {
    let (host, name) = proxy.host();
    let secret = "c2VjcmV0LXRoYXQtaXMtdG9vLXNob3J0";
    let remote = |more: Value| {
        let mut remote = json!({ "cluster": "issuer", "path": "/jwks" });
        remote.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "jwks": { "remote": remote } })
    };
    for (settings, reason) in [
        (json!({ "jwks": {} }), "checks.tokens.jwt.jwks"),
        (json!({ "jwks": { "inline": { "keys": [] } } }), "checks.tokens.jwt.jwks.inline: there is no key in it"),
        (json!({ "jwks": { "inline": [] } }), "checks.tokens.jwt.jwks.inline: this must be an object"),
        (
            json!({ "jwks": { "inline": { "keys": [Issued::new(1).public(), { "kty": "oct", "k": secret }] } } }),
            "checks.tokens.jwt.jwks.inline.keys[1]: k: the secret is shorter than 256 bits",
        ),
        (
            json!({ "jwks": { "inline": { "keys": [{ "kty": "EC", "crv": "P-521" }] } } }),
            "checks.tokens.jwt.jwks.inline: there is no key in it that can be used; the first, keys[0]: kty, crv: keys of this kind are not supported",
        ),
        (json!({ "algorithms": ["EdDSA", "ES512"] }), "checks.tokens.jwt.algorithms[1]: ES512 is not supported: there are HS256"),
        (json!({ "algorithms": ["none"] }), "checks.tokens.jwt.algorithms[0]: none is not supported"),
        (json!({ "algorithms": ["rs256"] }), "checks.tokens.jwt.algorithms[0]: there is no such algorithm"),
        (json!({ "sources": [] }), "checks.tokens.jwt.sources: a token must be somewhere"),
        (json!({ "sources": [{}] }), "checks.tokens.jwt.sources[0].name one place"),
        (json!({ "claims_to_headers": { "sub": ":path" } }), "checks.tokens.jwt.claims_to_headers: :path is no header for claims"),
        (json!({ "payload_header": "content-length" }), "checks.tokens.jwt.payload_header: content-length is no header for claims"),
        (json!({ "realm": "a\nb" }), "checks.tokens.jwt.realm: it has control characters"),
        (json!({ "clock_skew": 60 }), "checks.tokens.jwt.clock_skew: invalid type: integer"),
        (json!({ "audience": "shop" }), "checks.tokens.jwt: unknown field, expected issuer, audiences"),
        (remote(json!({ "path": "jwks" })), "checks.tokens.jwt.jwks.remote.path: \"jwks\" is no path"),
        (remote(json!({ "failed_refetch": "0s" })), "checks.tokens.jwt.jwks.remote.failed_refetch: a pause of nothing"),
        (remote(json!({ "unknown_key_cooldown": "0s" })), "checks.tokens.jwt.jwks.remote.unknown_key_cooldown: a pause of nothing"),
    ] {
        let refusal = wanting(Proxy::on(host, name), settings).refused().await;
        refusal.expect_log(reason);
        assert!(!format!("{refusal:?}").contains(secret), "{refusal:?}");
    }
}
