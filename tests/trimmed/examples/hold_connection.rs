//! Holds a connection until another server has said that it may go on, and never touches its data.

use inproxy::prelude::*;

/// The filter.
#[filter(network)]
#[config]
pub struct HoldConnection {
    authority: Cluster,
}

impl NetworkFilter for HoldConnection {
    async fn handle(&self, connection: Connection) -> Result<()> {
        if self.authority.get("/").send().await?.status() != StatusCode::OK {
            connection.close();
        }
        Ok(())
    }
}
