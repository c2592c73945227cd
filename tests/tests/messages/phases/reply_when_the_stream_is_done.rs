use inproxy::{hooks::HttpHooks, prelude::*};

#[filter(hooks)]
#[config]
struct Late;

impl HttpHooks for Late {
    type Stream = ();

    fn on_done(&self, _: &mut ()) {}
}

fn main() {}
