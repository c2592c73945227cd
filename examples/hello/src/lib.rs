//! Adds one header to every response.

use inproxy::prelude::*;

/// Which header, and what it says.
#[filter]
#[config]
pub struct Hello {
    name: HeaderName,
    value: HeaderValue,
}

impl HttpFilter for Hello {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let mut response = next.run(request).await;
        response.headers_mut().insert(&self.name, &self.value);
        Ok(response)
    }
}
