//! Filters that read and change bodies.

use inproxy::{future, http::BodyError, prelude::*};

// ANCHOR: collect
/// Refuses a request whose body has a text that must not pass.
#[filter(root_id = "cookbook_collect")]
#[config]
pub struct Refuse {
    text: String,
}

impl HttpFilter for Refuse {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let body = request.release_headers().collect(64 * 1024).await?;
        let text = self.text.as_bytes();
        if !text.is_empty() && body.as_bytes().windows(text.len()).any(|window| window == text) {
            return Ok(Response::new(StatusCode::FORBIDDEN));
        }
        Ok(next.run(body).await)
    }
}
// ANCHOR_END: collect

// ANCHOR: chunks
/// Has a service look at each part of an upload before the part goes on.
#[filter(root_id = "cookbook_chunks")]
#[config]
pub struct Scan {
    scanner: Cluster,
}

impl HttpFilter for Scan {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let mut body = request.release_headers().chunks();
        while let Some(part) = body.next().await? {
            let verdict = self.scanner.post("/scan").body(part).send().await?;
            if verdict.status() != StatusCode::OK {
                return Ok(Response::new(StatusCode::FORBIDDEN));
            }
        }
        Ok(next.run(body).await)
    }
}
// ANCHOR_END: chunks

// ANCHOR: map
/// Puts stars in the place of digits, as a response goes by.
#[filter(root_id = "cookbook_map")]
#[config]
pub struct Mask;

impl HttpFilter for Mask {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        // A compressed body has no digits to see.
        request.headers_mut().remove("accept-encoding")?;
        let response = next.run(request).await;
        let mask = |mut part: Vec<u8>| {
            part.iter_mut().filter(|byte| byte.is_ascii_digit()).for_each(|byte| *byte = b'*');
            part
        };
        Ok(response.release_headers_to_rewrite()?.map_chunks(mask).into())
    }
}
// ANCHOR_END: map

// ANCHOR: trailers
/// Tells the client in a trailer how many bytes the body had.
#[filter(root_id = "cookbook_trailers")]
#[config]
pub struct Measure;

impl HttpFilter for Measure {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let response = next.run(request).await;
        if !response.has_body() {
            return Ok(response);
        }
        let mut body = response.release_headers_to_rewrite()?.chunks();
        let mut size = 0;
        while let Some(part) = body.next().await? {
            size += part.len();
        }
        // Right behind the last part, with no other `await` between.
        body.trailers_mut()?.insert("x-size", size.to_string())?;
        Ok(body.into())
    }
}
// ANCHOR_END: trailers

// ANCHOR: duplex
/// Logs how long a request's body was, and does not keep the response waiting for its end.
#[filter(root_id = "cookbook_duplex")]
#[config]
pub struct Meter;

impl HttpFilter for Meter {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let mut body = request.release_headers().chunks();
        let response = next.response(&body);
        let reading = async {
            let mut size = 0;
            while let Some(part) = body.next().await? {
                size += part.len();
            }
            body.finish();
            Ok::<_, BodyError>(size)
        };
        // The response goes on as soon as it is there.
        let passing = async { response.await.let_go() };
        let (size, response) = future::join(reading, passing).await;
        log::info!("the request had {} bytes", size?);
        Ok(response)
    }
}
// ANCHOR_END: duplex
