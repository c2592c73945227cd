use inproxy::prelude::*;

#[filter(hooks(request_header))]
#[config]
struct Deny;

fn main() {}
