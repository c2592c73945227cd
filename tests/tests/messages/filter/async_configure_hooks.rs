use inproxy::{hooks::HttpHooks, prelude::*};

#[filter(hooks, async_configure)]
#[config]
struct Auth;

impl HttpHooks for Auth {
    type Stream = ();
}

fn main() {}
