use inproxy::prelude::*;

#[service]
#[config]
struct Refresh;

fn main() {}
