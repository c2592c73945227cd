use inproxy::prelude::*;

#[service]
#[filter]
#[config]
struct Refresh;

impl Service for Refresh {
    async fn run(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {}
