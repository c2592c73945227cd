//! What `docs/migration.md` moves does before and after what it says: the same tests run the module on the raw crate and the one on this SDK.

#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "test code")]
#![allow(missing_docs, reason = "test code")]

use std::time::Duration;

use filters::migrated::{CheckKey, Mask};
use inproxy::__private::Registered;
use inproxy_test::{Proxy, Request, Response, Running, json};

/// Modules of `tests/before`, by their examples.
macro_rules! modules {
    ($($name:ident, $module:literal;)*) => {
        $(inproxy_tests::module_type!($name, "x", concat!(env!("CARGO_MANIFEST_DIR"), "/before#", $module));)*
    };
}

modules! {
    CheckKeyBefore, "check_key";
    MaskBefore, "mask";
}

/// Makes tests of a function for the module before, and for the filter after.
macro_rules! both {
    ($($name:ident: $before:ident, $after:ident;)*) => {
        $(mod $name {
            use super::*;

            #[inproxy_test::test(only(wasm, envoy), because = "the raw filter is in a module of its own")]
            async fn before(proxy: Proxy<$before>) {
                super::$name(proxy).await;
            }

            #[inproxy_test::test]
            async fn after(proxy: Proxy<$after>) {
                super::$name(proxy).await;
            }
        })*
    };
}

both! {
    a_service_decides: CheckKeyBefore, CheckKey;
    what_the_client_says_of_its_user_is_not_believed: CheckKeyBefore, CheckKey;
    a_service_that_does_not_answer_decides_nothing: CheckKeyBefore, CheckKey;
    a_service_that_is_not_there_decides_nothing: CheckKeyBefore, CheckKey;
    an_unknown_field_refuses_the_configuration: CheckKeyBefore, CheckKey;
    a_text_is_masked_counted_and_logged: MaskBefore, Mask;
    a_response_without_the_text_passes: MaskBefore, Mask;
    a_response_without_a_body_passes: MaskBefore, Mask;
    an_empty_text_refuses_the_configuration: MaskBefore, Mask;
}

fn authority(request: &Request) -> Response {
    match request.value("x-api-key") {
        Some(b"good") => Response::new(200).with_header("x-user", "alice"),
        Some(b"nameless") => Response::new(200),
        Some(b"late") => Response::new(200).after(Duration::from_millis(600)),
        _ => Response::new(404),
    }
}

async fn asking<F: Registered>(proxy: Proxy<F>) -> Running {
    proxy.configure(json!({ "authority": "authority", "timeout_ms": 300 })).cluster("authority", authority).start().await
}

fn with_key(key: impl AsRef<[u8]>) -> Request {
    Request::get("/").with_header("x-api-key", key).with_header("x-user", "root")
}

// ANCHOR: check_key
async fn a_service_decides<F: Registered>(proxy: Proxy<F>) {
    let proxy = asking(proxy).await;
    let refused = proxy.send(Request::get("/")).await;
    assert_eq!((refused.status(), refused.text()), (401, "missing x-api-key\n"));
    assert_eq!(proxy.send(with_key("bad")).await.status(), 403);
    assert!(proxy.upstream().requests().is_empty());
    assert_eq!(proxy.send(with_key("good")).await.status(), 200);
    proxy.upstream().request().expect_header("x-user", "alice");
}
// ANCHOR_END: check_key

async fn what_the_client_says_of_its_user_is_not_believed<F: Registered>(proxy: Proxy<F>) {
    let proxy = asking(proxy).await;
    assert_eq!(proxy.send(with_key("nameless")).await.status(), 200);
    assert_eq!(proxy.upstream().request().header("x-user"), None);
}

async fn a_service_that_does_not_answer_decides_nothing<F: Registered>(proxy: Proxy<F>) {
    let proxy = asking(proxy).await;
    assert_eq!(proxy.send(with_key("late")).await.status(), 503);
    assert!(proxy.upstream().requests().is_empty());
    proxy.expect_log("no decision").await;
}

async fn a_service_that_is_not_there_decides_nothing<F: Registered>(proxy: Proxy<F>) {
    let proxy = proxy.configure(json!({ "authority": "authority", "timeout_ms": 300 })).cluster_without_endpoints("authority").start().await;
    assert_eq!(proxy.send(with_key("good")).await.status(), 503);
    assert!(proxy.upstream().requests().is_empty());
}

async fn an_unknown_field_refuses_the_configuration<F: Registered>(proxy: Proxy<F>) {
    let proxy = proxy.configure(json!({ "authority": "authority", "timeout_ms": 300, "timeout": 1 }));
    proxy.refused().await.expect_log("unknown field `timeout`");
}

async fn masking<F: Registered>(proxy: Proxy<F>, response: Response) -> Running {
    proxy.configure(json!({ "text": "secret" })).upstream(move |_| response.clone()).start().await
}

// ANCHOR: mask
async fn a_text_is_masked_counted_and_logged<F: Registered>(proxy: Proxy<F>) {
    let proxy = masking(proxy, Response::new(200).with_body("a secret, and a secret")).await;
    let response = proxy.send(Request::get("/")).await;
    assert_eq!((response.text(), response.header("content-length")), ("a ***, and a ***", None));
    proxy.expect_log("masked 2 times").await;
    assert_eq!(proxy.counter("mask.masked").await, 2);
}
// ANCHOR_END: mask

async fn a_response_without_the_text_passes<F: Registered>(proxy: Proxy<F>) {
    let proxy = masking(proxy, Response::new(200).with_body("nothing to hide")).await;
    assert_eq!(proxy.send(Request::get("/")).await.text(), "nothing to hide");
    assert_eq!(proxy.counter("mask.masked").await, 0);
}

async fn a_response_without_a_body_passes<F: Registered>(proxy: Proxy<F>) {
    let proxy = masking(proxy, Response::new(304)).await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 304);
}

async fn an_empty_text_refuses_the_configuration<F: Registered>(proxy: Proxy<F>) {
    proxy.configure(json!({ "text": "" })).refused().await.expect_log("text: is empty");
}

// What the raw filters get wrong.

/// A byte that is not UTF-8.
const NOT_TEXT: &[u8] = b"caf\xe9";

// ANCHOR: not_text
#[inproxy_test::test(only(wasm, envoy), because = "the raw filter is in a module of its own")]
async fn before_a_key_that_is_not_utf8_ends_the_vm(proxy: Proxy<CheckKeyBefore>) {
    let proxy = asking(proxy).await;
    assert_eq!(proxy.send(with_key(NOT_TEXT)).await.status(), 503);
    // Nobody gets through until the proxy has made another VM.
    assert_eq!(proxy.send(with_key("good")).await.status(), 503);
}

#[inproxy_test::test]
async fn after_a_key_that_is_not_utf8_is_a_key_as_others(proxy: Proxy<CheckKey>) {
    let proxy = asking(proxy).await;
    assert_eq!(proxy.send(with_key(NOT_TEXT)).await.status(), 403);
    assert_eq!(proxy.service("authority").request().value("x-api-key"), Some(NOT_TEXT));
    assert_eq!(proxy.send(with_key("good")).await.status(), 200);
}
// ANCHOR_END: not_text

fn with_trailer() -> Response {
    Response::new(200).with_body("a secret").with_trailer("x-checksum", "1")
}

// ANCHOR: trailers
#[inproxy_test::test(only(wasm, envoy), because = "the raw filter is in a module of its own")]
async fn before_a_response_with_trailers_shows_the_text(proxy: Proxy<MaskBefore>) {
    let proxy = masking(proxy, with_trailer()).await;
    assert_eq!(proxy.send(Request::get("/")).await.text(), "a secret");
}

#[inproxy_test::test]
async fn after_a_response_with_trailers_is_masked(proxy: Proxy<Mask>) {
    let proxy = masking(proxy, with_trailer()).await;
    assert_eq!(proxy.send(Request::get("/")).await.text(), "a ***");
}
// ANCHOR_END: trailers
