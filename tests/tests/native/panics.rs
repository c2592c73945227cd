//! A filter that panics ends its VM, not the process.

use inproxy::{
    hooks::{Action, HttpHooks, RequestHeaders},
    prelude::*,
};

use crate::host::{REQUEST, TestHost};

#[filter(root_id = "panics_in_handle")]
#[config]
#[derive(Debug)]
struct PanicsInHandle;

impl HttpFilter for PanicsInHandle {
    async fn handle(&self, _: Request, _: Next) -> Result<Response> {
        panic!("on purpose, in handle")
    }
}

#[filter(hooks, root_id = "panics_in_hook")]
#[config]
#[derive(Debug)]
struct PanicsInHook;

impl HttpHooks for PanicsInHook {
    type Stream = ();

    fn on_request_headers(&self, _: &mut (), _: RequestHeaders<'_>) -> Action {
        panic!("on purpose, in a hook")
    }
}

#[filter(root_id = "panics_in_configure")]
#[derive(Debug)]
struct PanicsInConfigure;

#[config]
#[derive(Debug)]
struct Nothing;

impl Configure for PanicsInConfigure {
    type Config = Nothing;

    fn configure(_: Nothing, _: &mut Plugin) -> Result<Self> {
        panic!("on purpose, in configure")
    }
}

impl HttpFilter for PanicsInConfigure {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        Ok(next.run(request).await)
    }
}

#[test]
fn in_handle() {
    let host = TestHost::start();
    assert!(host.configure(1, "panics_in_handle", ""), "{:?}", host.log);
    host.put(REQUEST, &[(":path", "/")]);
    assert!(!host.request_headers(10, 1), "what a dead VM was asked for does not go on");
    assert_eq!(*host.panics.borrow(), ["on purpose, in handle"]);
}

#[test]
fn in_a_hook() {
    let host = TestHost::start();
    assert!(host.configure(1, "panics_in_hook", ""), "{:?}", host.log);
    host.put(REQUEST, &[(":path", "/")]);
    assert!(!host.request_headers(10, 1));
    assert_eq!(*host.panics.borrow(), ["on purpose, in a hook"]);
}

#[test]
fn in_configure() {
    let host = TestHost::start();
    assert!(!host.configure(1, "panics_in_configure", ""));
    assert_eq!(*host.panics.borrow(), ["on purpose, in configure"]);
}
