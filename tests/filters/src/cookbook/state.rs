//! Where a filter can keep something.

use std::cell::Cell;

use inproxy::{prelude::*, shared::SharedCounter};

// ANCHOR: state
/// Counts requests in three places.
#[filter(root_id = "cookbook_state")]
pub struct Places {
    /// Of this worker, since this configuration.
    of_worker: Cell<u64>,
    /// Of all workers, since the proxy began.
    of_all: SharedCounter,
}

thread_local! {
    /// Of this VM, whatever its configuration.
    static OF_VM: Cell<u64> = const { Cell::new(0) };
}

/// Nothing to configure but a name, so that there can be another one.
#[config]
pub struct Named {
    name: String,
}

impl Configure for Places {
    type Config = Named;

    fn configure(config: Named, _: &mut Plugin) -> Result<Self> {
        log::info!("configured as {}", config.name);
        Ok(Self { of_worker: Cell::new(0), of_all: SharedCounter::new("cookbook_state/requests") })
    }
}

impl HttpFilter for Places {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        self.of_worker.set(self.of_worker.get() + 1);
        OF_VM.set(OF_VM.get() + 1);
        // What belongs to one request is a local variable, also over an `.await`.
        let counts = format!("{} {} {}", self.of_worker.get(), OF_VM.get(), self.of_all.increment()?);
        let mut response = next.run(request).await;
        response.headers_mut().insert("x-counts", counts)?;
        Ok(response)
    }
}
// ANCHOR_END: state
