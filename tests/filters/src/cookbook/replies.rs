//! Answers of the filter's own.

use inproxy::{grpc::Code, prelude::*};

// ANCHOR: maintenance
/// Answers in the place of an upstream that is being repaired.
#[filter(root_id = "cookbook_maintenance")]
#[config]
pub struct Maintenance {
    minutes: u32,
}

const PAGE: &str = "<!doctype html><title>Back soon</title><p>We are repairing something.</p>\n";

impl HttpFilter for Maintenance {
    async fn handle(&self, request: Request, _: Next) -> Result<Response> {
        let seconds = u64::from(self.minutes) * 60;
        let reply = LocalReply::new(StatusCode::SERVICE_UNAVAILABLE).with_details("maintenance").with_header("retry-after", seconds.to_string())?;
        let is_grpc = request.headers().get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"));
        let reply = if is_grpc {
            // The body is the message that the client's error has.
            reply.with_grpc_status(Code::UNAVAILABLE.as_raw()).with_body("back soon")
        } else {
            reply.with_header("content-type", "text/html; charset=utf-8")?.with_body(PAGE)
        };
        Ok(reply.into())
    }
}
// ANCHOR_END: maintenance
