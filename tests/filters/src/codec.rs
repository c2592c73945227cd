//! Filters that read bodies piece by piece.

use inproxy::{
    codec::{lines, sse},
    http::MapChunk,
    prelude::*,
};

// ANCHOR: redact
/// Takes words out of server-sent events, as they pass.
#[filter(root_id = "redact")]
#[config]
#[derive(Debug)]
pub struct Redact {
    words: Vec<String>,
}

/// What is kept of one event, in bytes.
const LONGEST_EVENT: usize = 64 * 1024;

impl HttpFilter for Redact {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let response = next.run(request).await;
        let kind = response.headers().get("content-type");
        if !kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream")) {
            return Ok(response);
        }
        let redacting = Redacting { words: self.words.clone(), decoder: Some(sse::Decoder::new(LONGEST_EVENT)) };
        Ok(response.release_headers_to_rewrite()?.map_chunks(redacting).into())
    }
}

/// A body that goes by. An event that is not whole yet waits in the decoder.
struct Redacting {
    words: Vec<String>,
    decoder: Option<sse::Decoder>,
}

impl MapChunk for Redacting {
    fn chunk(&mut self, bytes: Vec<u8>) -> Result<Vec<u8>> {
        let Some(decoder) = &mut self.decoder else { return Ok(Vec::new()) };
        let events = decoder.push(&bytes)?;
        Ok(events.into_iter().flat_map(|event| self.redact(event)).collect())
    }

    /// Some servers leave out the empty line behind their last event.
    fn end(&mut self) -> Result<Vec<u8>> {
        let Some(decoder) = self.decoder.take() else { return Ok(Vec::new()) };
        Ok(decoder.finish()?.map(|event| self.redact(event)).unwrap_or_default())
    }
}

impl Redacting {
    fn redact(&self, mut event: sse::Event) -> Vec<u8> {
        for word in &self.words {
            event.data = event.data.map(|data| data.replace(word, "***"));
        }
        event.encode()
    }
}
// ANCHOR_END: redact

/// Adds up what the lines of a request say under `tokens`, and tells it with the response. Lines that say nothing of it, or are no JSON, count as `x-other`.
#[filter(root_id = "count_tokens")]
#[config]
#[derive(Debug)]
pub struct CountTokens {
    longest_line: usize,
}

/// A line.
#[config]
#[derive(Debug)]
pub struct Usage {
    tokens: u64,
}

impl HttpFilter for CountTokens {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let mut body = request.release_headers().chunks();
        let mut decoder = lines::Decoder::new(self.longest_line);
        let (mut tokens, mut other) = (0, 0);
        let mut count = |line: lines::Line| match line.json::<Usage>() {
            Ok(usage) => tokens += usage.tokens,
            Err(_) if line.is_blank() => {}
            Err(_) => other += 1,
        };
        while let Some(part) = body.next().await? {
            decoder.push(&part)?.into_iter().for_each(&mut count);
        }
        decoder.finish()?.into_iter().for_each(&mut count);
        let mut response = next.run(body).await;
        response.headers_mut().insert("x-tokens", tokens.to_string())?;
        response.headers_mut().insert("x-other", other.to_string())?;
        Ok(response)
    }
}
