use inproxy::{hooks::NetworkHooks, prelude::*};

#[filter(network, hooks, on_error = allow)]
#[config]
struct Gate;

impl NetworkHooks for Gate {
    type Connection = ();
}

fn main() {}
