//! Time and random numbers.

use inproxy::{
    prelude::*,
    random,
    time::{self, Instant},
};

// ANCHOR: clocks
/// Gives each request an id, and says how long its upstream took.
#[filter(root_id = "cookbook_clocks")]
#[config]
pub struct Stamp;

impl HttpFilter for Stamp {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        let id: String = random::bytes::<16>()?.iter().map(|byte| format!("{byte:02x}")).collect();
        let since_1970 = time::now()?.duration_since(std::time::UNIX_EPOCH)?;
        request.headers_mut().insert("x-id", id)?;
        request.headers_mut().insert("x-at", since_1970.as_secs().to_string())?;
        let begun = Instant::now();
        let mut response = next.run(request).await;
        response.headers_mut().insert("x-took-ms", begun.elapsed().as_millis().to_string())?;
        Ok(response)
    }
}
// ANCHOR_END: clocks
