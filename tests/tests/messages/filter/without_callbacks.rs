use inproxy::prelude::*;

#[filter(hooks)]
#[config]
struct Auth;

fn main() {}
