use inproxy::prelude::*;

#[config(schema)]
struct Settings {
    authority: Authority,
}

#[config]
struct Authority {
    cluster: Cluster,
}

fn main() {}
