//! Asks another server.

use inproxy::prelude::*;

/// The service.
#[service]
#[config]
pub struct Ask {
    authority: Cluster,
}

impl Service for Ask {
    async fn run(&self) -> Result<()> {
        let answer = self.authority.get("/").send().await?.require_success()?;
        log::info!("the authority says {}", answer.status());
        Ok(())
    }
}
