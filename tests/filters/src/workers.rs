//! A filter whose state shows which VM it is in.

use std::cell::Cell;

use inproxy::{metrics::Counter, prelude::*};

/// Counts the requests of its VM, and says which one this is.
#[filter]
pub struct PerVm {
    requests: Cell<u32>,
}

/// Nothing to configure.
#[config]
#[derive(Debug)]
pub struct Nothing;

impl Configure for PerVm {
    type Config = Nothing;

    fn configure(_: Nothing, plugin: &mut Plugin) -> Result<Self> {
        let configured: Counter = plugin.counter("per_vm_configured")?;
        configured.increment();
        Ok(Self { requests: Cell::new(0) })
    }
}

impl HttpFilter for PerVm {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        self.requests.set(self.requests.get() + 1);
        let nth = self.requests.get();
        let mut response = next.run(request).await;
        response.headers_mut().insert("x-request-of-vm", nth.to_string().as_str())?;
        Ok(response)
    }
}
