use inproxy::prelude::*;

#[config]
union Settings {
    a: u32,
    b: f32,
}

fn main() {}
