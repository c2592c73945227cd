//! Reads what the server sends, and lets nothing of the client pass until it has seen that.

use inproxy::prelude::*;

/// The filter.
#[filter(network)]
#[config]
pub struct HoldData;

impl NetworkFilter for HoldData {
    async fn handle(&self, mut connection: Connection) -> Result<()> {
        if connection.upstream().read().await?.as_deref() != Some(b"open") {
            connection.close();
        }
        Ok(())
    }
}
