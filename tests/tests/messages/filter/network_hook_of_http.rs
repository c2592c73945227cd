use inproxy::{hooks::NetworkHooks, prelude::*};

#[filter(network, hooks(request_headers, log))]
#[config]
struct Gate;

impl NetworkHooks for Gate {
    type Connection = ();
}

fn main() {}
