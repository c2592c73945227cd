use inproxy::{hooks::HttpHooks, prelude::*};

#[filter(hooks, waits)]
#[config]
struct Deny;

impl HttpHooks for Deny {
    type Stream = ();
}

fn main() {}
