use inproxy::prelude::*;
use serde::Deserialize;

#[config]
#[derive(Deserialize)]
struct Settings {
    realm: String,
}

fn main() {}
