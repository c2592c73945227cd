//! Filters that read and change headers, or answer.

use inproxy::prelude::*;

/// Does with the request's headers what the configuration says, then tells in response headers what it read before.
#[filter]
#[config]
#[derive(Debug)]
pub struct EditHeaders {
    #[serde(default)]
    read: Vec<HeaderName>,
    #[serde(default)]
    insert: Vec<(HeaderName, Vec<u8>)>,
    #[serde(default)]
    append: Vec<(HeaderName, Vec<u8>)>,
    #[serde(default)]
    remove: Vec<HeaderName>,
    /// Whether the same is done with the response.
    #[serde(default)]
    response: bool,
}

impl HttpFilter for EditHeaders {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        let mut found = Vec::new();
        for name in &self.read {
            let first = request.headers().get(name);
            for (at, value) in request.headers().get_all(name).enumerate() {
                assert_first(at, &value, first.as_ref())?;
                found.push((name.clone(), value));
            }
        }
        let count = request.headers().iter().count();
        if !self.response {
            self.edit(&mut request.headers_mut())?;
        }
        let mut response = next.run(request).await;
        if self.response {
            self.edit(&mut response.headers_mut())?;
        }
        for (name, value) in found {
            response.headers_mut().append(&HeaderName::try_from(format!("x-read-{name}"))?, &value);
        }
        response.headers_mut().insert("x-count", count.to_string())?;
        Ok(response)
    }
}

impl EditHeaders {
    fn edit(&self, headers: &mut inproxy::headers::HeadersMut<'_>) -> Result<()> {
        for name in &self.remove {
            headers.remove(name);
        }
        for (name, value) in &self.insert {
            headers.insert(name, value)?;
        }
        for (name, value) in &self.append {
            headers.append(name, value)?;
        }
        Ok(())
    }
}

fn assert_first(at: usize, value: &HeaderValue, first: Option<&HeaderValue>) -> Result<()> {
    if at == 0 && first != Some(value) {
        return Err(Error::msg("`get` and `get_all` disagree on the first value"));
    }
    Ok(())
}

/// Answers each request itself.
#[filter]
#[config]
#[derive(Debug)]
pub struct Reply {
    status: u16,
    #[serde(default)]
    headers: Vec<(HeaderName, HeaderValue)>,
    #[serde(default)]
    body: String,
    /// Whether the upstream is asked first, and its response replaced.
    #[serde(default)]
    after: bool,
    /// Whether the upstream's response is kept, but for its body.
    #[serde(default)]
    body_only: bool,
}

impl HttpFilter for Reply {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        if self.body_only {
            return Ok(next.run(request).await.with_body(&*self.body));
        }
        if self.after {
            next.run(request).await;
        }
        let mut reply = LocalReply::new(StatusCode::from_u16(self.status)?).with_body(&*self.body).with_details("said by the test");
        for (name, value) in &self.headers {
            reply = reply.with_header(name, value);
        }
        Ok(reply.into())
    }
}

/// Reads headers several times, with an edit between, keeps what it read, and tells it in a response header.
#[filter(root_id = "keep_headers")]
#[config]
#[derive(Debug)]
pub struct KeepHeaders;

impl HttpFilter for KeepHeaders {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        let read = |request: &Request, names: &[&str]| -> Vec<_> { names.iter().map(|name| request.headers().get(*name)).collect() };
        let mut kept = read(&request, &["x-a", "x-b", "X-A"]);
        request.headers_mut().insert("x-a", "edited")?;
        kept.extend(read(&request, &["x-a", "x-b", "x-absent"]));
        let mut response = next.run(request).await;
        for value in kept.into_iter().flatten() {
            response.headers_mut().append("x-kept", &value)?;
        }
        Ok(response)
    }
}
