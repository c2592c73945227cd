use inproxy::prelude::*;

#[filter]
struct Auth<K> {
    keys: Vec<K>,
}

fn main() {}
