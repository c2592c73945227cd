//! Buffers the body of a request and looks at its first byte: as an async function.

use inproxy::prelude::*;

/// The filter.
#[filter]
#[config]
pub struct Buffer;

impl HttpFilter for Buffer {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let body = request.release_headers().collect(1 << 20).await?;
        if body.as_bytes().first() == Some(&b'!') {
            return Ok(Response::new(StatusCode::FORBIDDEN));
        }
        Ok(next.run(body).await)
    }
}
