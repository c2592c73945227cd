use inproxy::{hooks::HttpHooks, prelude::*};

#[filter(hooks, held)]
#[config]
struct Auth;

impl HttpHooks for Auth {
    type Stream = ();
}

fn main() {}
