//! Filters that read bodies piece by piece.

use inproxy::{
    codec::{lines, sse},
    hooks::{Action, HttpHooks, RequestBody, ResponseBody, ResponseHeaders},
    prelude::*,
};

// ANCHOR: redact
/// Takes words out of server-sent events, as they pass.
#[filter(hooks)]
#[config]
#[derive(Debug)]
pub struct Redact {
    words: Vec<String>,
}

/// What is kept of one event, in bytes.
const LONGEST_EVENT: usize = 64 * 1024;

const CONTENT_LENGTH: HeaderName = HeaderName::from_static("content-length");

impl HttpHooks for Redact {
    type Stream = Option<sse::Decoder>;

    fn on_response_headers(&self, decoder: &mut Self::Stream, mut response: ResponseHeaders<'_>) -> Action {
        let kind = response.headers().get("content-type");
        if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream")) {
            // It will be another.
            response.headers_mut().remove(&CONTENT_LENGTH);
            *decoder = Some(sse::Decoder::new(LONGEST_EVENT));
        }
        Action::Continue
    }

    fn on_response_body(&self, decoder: &mut Self::Stream, mut body: ResponseBody<'_>) -> Action {
        if let Err(error) = self.redact(decoder, &mut body) {
            log::error!("events are held back from here on: {error:#}");
            if let Err(error) = body.buffer().replace(b"") {
                log::error!("{error:#}");
            }
        }
        Action::Continue
    }
}

impl Redact {
    fn redact(&self, stream: &mut Option<sse::Decoder>, body: &mut ResponseBody<'_>) -> Result<()> {
        let Some(decoder) = stream else { return Ok(()) };
        let mut events = decoder.push(&body.buffer().read()?)?;
        if body.end_of_stream()
            && let Some(decoder) = stream.take()
        {
            events.extend(decoder.finish()?);
        }
        let mut redacted = Vec::new();
        for mut event in events {
            for word in &self.words {
                event.data = event.data.map(|data| data.replace(word, "***"));
            }
            redacted.extend(event.encode());
        }
        // An event that is not whole yet waits in the decoder.
        body.buffer().replace(&redacted)
    }
}
// ANCHOR_END: redact

/// Adds up what the lines of a request say under `tokens`, and tells it with the response. Lines that say nothing of it, or are no JSON, count as `x-other`.
#[filter(hooks)]
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

/// What has been counted of a request.
#[derive(Debug, Default)]
pub struct Counted {
    decoder: Option<lines::Decoder>,
    tokens: u64,
    other: u64,
    error: Option<String>,
}

impl HttpHooks for CountTokens {
    type Stream = Counted;

    fn on_request_body(&self, counted: &mut Counted, mut body: RequestBody<'_>) -> Action {
        if let Err(error) = self.count(counted, &mut body) {
            counted.error = Some(format!("{error:#}"));
        }
        body.while_headers_are_held()
    }

    fn on_response_headers(&self, counted: &mut Counted, mut response: ResponseHeaders<'_>) -> Action {
        let mut headers = response.headers_mut();
        headers.insert(&HeaderName::from_static("x-tokens"), &HeaderValue::from(counted.tokens));
        headers.insert(&HeaderName::from_static("x-other"), &HeaderValue::from(counted.other));
        if let Some(Ok(error)) = counted.error.take().map(HeaderValue::try_from) {
            headers.insert(&HeaderName::from_static("x-error"), &error);
        }
        Action::Continue
    }
}

impl CountTokens {
    fn count(&self, counted: &mut Counted, body: &mut RequestBody<'_>) -> Result<()> {
        let decoder = counted.decoder.get_or_insert_with(|| lines::Decoder::new(self.longest_line));
        let mut lines = decoder.push(&body.buffer().read()?)?;
        if body.end_of_stream()
            && let Some(decoder) = counted.decoder.take()
        {
            lines.extend(decoder.finish()?);
        }
        for line in lines.iter().filter(|line| !line.is_blank()) {
            match line.json::<Usage>() {
                Ok(usage) => counted.tokens += usage.tokens,
                Err(_) => counted.other += 1,
            }
        }
        Ok(())
    }
}
