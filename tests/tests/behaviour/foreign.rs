use std::fmt::Write;

use filters::foreign::{Objects, Properties, Raw, Signatures, Tiers, Versions, Zlib};
use inproxy::abi::Status;
use inproxy_test::{Proxy, Request, Response, RouteMatch, json};

macro_rules! key {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/keys/", $name))
    };
}

macro_rules! signature {
    ($name:literal) => {
        hex(include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/keys/", $name)))
    };
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn signed(text: &str, hash: &str, signature: &str) -> Request {
    Request::get("/").with_header("x-text", text).with_header("x-hash", hash).with_header("x-signature", signature)
}

#[inproxy_test::test]
async fn a_signature_is_verified(proxy: Proxy<Signatures>) {
    let (host, name) = proxy.host();
    let (rsa, rsa_sha512, ec) = (signature!("hello.rsa.sha256"), signature!("hello.rsa.sha512"), signature!("hello.ec.sha256"));
    let good = [(key!("rsa.pub.pem"), "sha256", &rsa), (key!("rsa.pub.pem"), "sha512", &rsa_sha512), (key!("ec.pub.pem"), "sha256", &ec)];
    for (key, hash, signature) in good {
        let proxy = Proxy::<Signatures>::on(host, name).configure(json!({ "public": key })).start().await;
        let cases = [
            ("hello", hash, signature.clone(), "good"),
            ("hullo", hash, signature.clone(), "bad"),
            ("hello", "sha384", signature.clone(), "bad"),
            ("hello", hash, signature.replace('a', "b"), "bad"),
            ("hello", hash, String::new(), "bad"),
            ("", hash, signature.clone(), "bad"),
        ];
        for (text, hash, signature, verdict) in cases {
            let response = proxy.send(signed(text, hash, &signature)).await;
            assert_eq!(response.header("x-verdict"), Some(verdict), "{text} {hash}");
        }
    }
}

#[inproxy_test::test]
async fn what_is_signed_is_verified(proxy: Proxy<Signatures>) {
    let (host, name) = proxy.host();
    for (private, public) in [(key!("rsa.pem"), key!("rsa.pub.pem")), (key!("ec.pem"), key!("ec.pub.pem"))] {
        let proxy = Proxy::<Signatures>::on(host, name).configure(json!({ "private": private, "public": public })).start().await;
        let signature = proxy.send(signed("a text", "sha256", "")).await.header("x-signed").unwrap().to_owned();
        let response = proxy.send(signed("a text", "sha256", &signature)).await;
        assert_eq!(response.header("x-verdict"), Some("good"));
    }
}

#[inproxy_test::test(only(envoy), because = "the model of Envoy has no SHA-224, and no SHA-1 of EC keys")]
async fn all_hash_functions_are_there(proxy: Proxy<Signatures>) {
    let (host, name) = proxy.host();
    for (private, public) in [(key!("rsa.pem"), key!("rsa.pub.pem")), (key!("ec.pem"), key!("ec.pub.pem"))] {
        let proxy = Proxy::<Signatures>::on(host, name).configure(json!({ "private": private, "public": public })).start().await;
        for hash in ["sha1", "sha224", "sha256", "sha384", "sha512"] {
            let signature = proxy.send(signed("a text", hash, "")).await.header("x-signed").unwrap().to_owned();
            let response = proxy.send(signed("a text", hash, &signature)).await;
            assert_eq!(response.header("x-verdict"), Some("good"), "{hash}");
        }
    }
}

#[inproxy_test::test]
async fn a_key_that_is_none_refuses_the_configuration(proxy: Proxy<Signatures>) {
    let (host, name) = proxy.host();
    for (member, key) in [
        ("public", "junk"),
        ("public", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
        ("public", ""),
        ("public", key!("ed25519.pub.pem")),
        ("public", key!("rsa.pem")),
        ("private", "junk"),
        ("private", ""),
        ("private", key!("rsa.pub.pem")),
    ] {
        let refused = Proxy::<Signatures>::on(host, name).configure(json!({ member: key })).refused().await;
        refused.expect_log(&format!("{member}: the proxy cannot use the key: "));
        refused.expect_log("It takes RSA and EC keys");
    }
}

#[inproxy_test::test]
async fn an_object_is_left_for_other_parts_of_the_proxy(proxy: Proxy<Objects>) {
    let proxy = proxy.start().await;
    for (key, value, outcome, there) in [
        ("envoy.network.upstream_server_name", "a.example", "set", "a.example"),
        ("envoy.upstream.dynamic_port", "8443", "set", "8443"),
        ("envoy.upstream.dynamic_port", "x", "bad value", "there is no attribute filter_state.envoy.upstream.dynamic_port"),
        ("my.key", "x", "unknown key", "there is no attribute filter_state.my.key"),
    ] {
        for span in ["filter_chain", "request", "connection"] {
            let request = Request::get("/").with_header("x-key", key).with_header("x-value", value).with_header("x-span", span);
            let response = proxy.send(request).await;
            assert_eq!((response.header("x-outcome"), response.header("x-there")), (Some(outcome), Some(there)), "{key} {value} {span}");
        }
    }
}

#[inproxy_test::test]
async fn a_property_that_was_declared_read_only_is_set_once(proxy: Proxy<Properties>) {
    let proxy = proxy.configure(json!({})).start().await;
    for _ in 0..2 {
        let response = proxy.send(Request::get("/")).await;
        let told = ["x-session", "x-once", "x-again"].map(|name| response.header(name).unwrap().to_owned());
        assert_eq!(told, ["none", "1", "filter_state.wasm.once: set filter state: the proxy answered bad argument (2)"]);
    }
}

#[inproxy_test::test]
async fn a_property_is_declared_once_by_a_name_that_can_be_read(proxy: Proxy<Properties>) {
    let (host, name) = proxy.host();
    for (configuration, reason) in [
        (json!({ "twice": true }), "the property \"once\" was declared before by this plugin"),
        (json!({ "name": "" }), "the name of a property must not be empty or have a NUL"),
        (json!({ "name": "a\0b" }), "the name of a property must not be empty or have a NUL"),
    ] {
        Proxy::<Properties>::on(host, name).configure(configuration).refused().await.expect_log(reason);
    }
}

#[inproxy_test::test]
async fn bytes_are_compressed_and_uncompressed_within_bounds(proxy: Proxy<Zlib>) {
    let proxy = proxy.start().await;
    let text = "inproxy ".repeat(1000);
    let packed = proxy.send(Request::post("/").with_body(text.clone())).await;
    let packed = packed.bytes().to_vec();
    assert!(packed.len() < 100, "{}", packed.len());
    for (body, limit, status, expected) in [
        (packed.clone(), "8000", 200, text.as_str()),
        (packed.clone(), "7999", 400, "8000 bytes are more than the 7999 that are taken"),
        (packed[..packed.len() - 5].to_vec(), "8000", 400, "the bytes are not zlib's, or are cut off"),
        (b"junk".to_vec(), "8000", 400, "the bytes are not zlib's, or are cut off"),
        (vec![0; (64 << 10) + 1], "100000000", 400, "65537 bytes are more than the 65536 that are taken"),
    ] {
        let response = proxy.send(Request::post("/").with_header("x-uncompress", limit).with_body(body)).await;
        assert_eq!((response.status(), response.text()), (status, expected));
    }
}

#[inproxy_test::test]
async fn any_function_can_be_called_and_one_that_is_not_there_is_told_apart(proxy: Proxy<Raw>) {
    let proxy = proxy.start().await;
    for (function, argument, expected) in [
        ("compress", "hello", "13 bytes"),
        ("clear_route_cache", "", "0 bytes"),
        ("uncompress", "hello", "uncompress: the proxy answered serialization failure (3)"),
        ("nothing", "", "the proxy has no function nothing: Envoy 1.40 has it"),
    ] {
        let response = proxy.send(Request::get("/").with_header("x-function", function).with_header("x-argument", argument)).await;
        assert_eq!(response.text(), expected);
    }
}

#[inproxy_test::test(only(native, wasm), because = "the real Envoy refuses no calls on demand")]
async fn a_proxy_without_these_functions_is_told_apart(proxy: Proxy<Signatures>) {
    let proxy = proxy.configure(json!({ "public": key!("rsa.pub.pem") })).refuse("proxy_call_foreign_function", Status::UNIMPLEMENTED);
    proxy.refused().await.expect_log("public: the proxy has no function verify_signature");
}

// ANCHOR: reroute
#[inproxy_test::test]
async fn a_rewritten_path_takes_another_route(proxy: Proxy<Versions>) {
    let proxy = proxy.route_to("search", RouteMatch::Path { prefix: "/search".to_owned() }, "search");
    let proxy = proxy.cluster("search", |_| Response::new(200).with_body("found")).upstream(|_| Response::new(404)).start().await;
    assert_eq!(proxy.send(Request::get("/v1/search?q=x")).await.text(), "found");
    let seen = proxy.service("search").request();
    assert_eq!((seen.path(), seen.header("x-version")), ("/search?q=x", Some("v1")));
    assert_eq!(proxy.send(Request::get("/v2/search")).await.status(), 404);
}
// ANCHOR_END: reroute

// ANCHOR: tenant
#[inproxy_test::test]
async fn a_route_is_chosen_by_what_a_service_says(proxy: Proxy<Tiers>) {
    let tier = |request: &Request| Response::new(200).with_body(if request.header("x-tenant") == Some("acme") { "gold" } else { "free" });
    let gold = RouteMatch::FilterState { key: "wasm.tier".to_owned(), value: "gold".to_owned() };
    let proxy = proxy.configure(json!({ "tiers": "tiers" })).cluster("tiers", tier).route_to("gold", gold, "gold");
    let proxy = proxy.cluster("gold", |_| Response::new(200).with_body("gold")).upstream(|_| Response::new(200).with_body("free")).start().await;
    for (tenant, to) in [("acme", "gold"), ("other", "free"), ("acme", "gold")] {
        assert_eq!(proxy.send(Request::get("/").with_header("x-tenant", tenant)).await.text(), to);
    }
}
// ANCHOR_END: tenant
