use inproxy::prelude::*;

#[config]
fn settings() {}

fn main() {}
