use inproxy::prelude::*;

#[filter(network, held, waits, async_configure)]
#[config]
struct Gate;

impl NetworkFilter for Gate {
    async fn handle(&self, _: Connection) -> Result<()> {
        Ok(())
    }
}

fn main() {}
