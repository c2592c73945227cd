use inproxy::prelude::*;

#[filter]
enum Auth {
    Open,
    Closed,
}

fn main() {}
