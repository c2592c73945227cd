//! Connections.

use filters::tcp::{Ask, First, Shout, Tenants};
use inproxy::__private::Registered;
use inproxy_test::{Proxy, Response, json};

use crate::case::{Case, tcp};
use crate::outcome::Outcome;

fn service<F: Registered>(proxy: Proxy<F>) -> Proxy<F> {
    proxy.cluster("service", |_| Response::new(200))
}

pub fn cases() -> Vec<Case> {
    vec![
        tcp::<First>("connections: what begins as it should", json!({ "prefix": "hello" }), "hello, you").into(),
        tcp::<Ask>("connections: a client that a service allows", json!({ "service": "service" }), "hello").with(service).into(),
        tcp::<Tenants>("connections: data waits for a call", json!({ "service": "service" }), "acme\nfirst").with(service).into(),
        tcp::<Shout>("connections: data is changed", json!({}), "hello")
            .but(["proxy_get_buffer_bytes", "proxy_set_buffer_bytes"], Outcome::Leaked, "what went on before was changed as it should be")
            .but(
                ["proxy_get_buffer_bytes", "proxy_set_buffer_bytes"],
                Outcome::Otherwise,
                "what went on before was changed as it should be; then the connection is closed",
            )
            .into(),
    ]
}
