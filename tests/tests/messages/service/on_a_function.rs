use inproxy::prelude::*;

#[service]
async fn refresh() -> Result<()> {
    Ok(())
}

fn main() {}
