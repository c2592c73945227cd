//! Something that is remembered, and does not grow.

use std::time::Duration;

use inproxy::{cache::Cache, prelude::*, time};

// ANCHOR: memory
/// Tells clients apart that were here within a minute, and remembers no more than a thousand.
#[filter(root_id = "cookbook_memory")]
pub struct Recent {
    clients: Cache<Vec<u8>, ()>,
}

/// Nothing to configure.
#[config]
pub struct Nothing;

impl Configure for Recent {
    type Config = Nothing;

    fn configure(_: Nothing, _: &mut Plugin) -> Result<Self> {
        Ok(Self { clients: Cache::new(1000) })
    }
}

impl HttpFilter for Recent {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        let client = request.headers().get("x-client").map(|client| client.as_bytes().to_vec());
        // What a client can make as long as it likes is not kept.
        if let Some(client) = client.filter(|client| client.len() <= 64) {
            let now = time::now()?;
            let known = self.clients.get(&client, now).is_some();
            self.clients.insert(client, (), Duration::from_secs(60), now);
            request.headers_mut().insert("x-known", if known { "yes" } else { "no" })?;
        }
        Ok(next.run(request).await)
    }
}
// ANCHOR_END: memory
