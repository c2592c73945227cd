//! Both attributes and everything they write work under another name of the SDK.

#![forbid(unsafe_code)]

use in_the_proxy::{
    hooks::{HttpHooks, ResponseHeaders},
    prelude::*,
};

/// Its own configuration.
#[filter(on_error = allow)]
#[config]
#[derive(Debug)]
pub struct Tagged {
    #[serde(default = "tag")]
    tag: HeaderValue,
    kind: Kind,
}

/// A configuration is made of configurations.
#[config]
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// Short.
    Short,
    /// Long.
    Long { times: u32 },
}

fn tag() -> HeaderValue {
    HeaderValue::from_static("tag")
}

impl HttpFilter for Tagged {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let mut response = next.run(request).await;
        let times = match self.kind {
            Kind::Short => 1,
            Kind::Long { times } => times,
        };
        for _ in 0..times {
            response.headers_mut().append("x-tag", &self.tag)?;
        }
        Ok(response)
    }
}

/// Nothing to configure.
#[filter(hooks, root_id = "plain")]
#[config(crate = "::in_the_proxy")]
#[derive(Debug)]
pub struct Plain;

impl HttpHooks for Plain {
    type Stream = u8;

    fn on_response_headers(&self, _: &mut u8, mut response: ResponseHeaders<'_>) -> in_the_proxy::hooks::Action {
        response.headers_mut().insert(&HeaderName::from_static("x-plain"), &HeaderValue::from_static("1"));
        in_the_proxy::hooks::Action::Continue
    }
}

#[cfg(test)]
mod tests {
    use in_the_proxy::config::parse;

    use super::*;

    #[test]
    fn configurations_are_read() {
        let tagged: Tagged = parse(br#"{"kind":{"Long":{"times":2}}}"#).unwrap();
        assert_eq!(tagged.tag, "tag");
        let _: Plain = parse(b"").unwrap();
        assert!(parse::<Plain>(b"null").is_err());
        let unknown = parse::<Plain>(br#"{"x":1}"#).unwrap_err().to_string();
        assert!(unknown.starts_with("this filter takes no configuration"), "{unknown}");
        let unknown = parse::<Tagged>(br#"{"kind":{"Long":{"times":2,"x":1}}}"#).unwrap_err().to_string();
        assert!(unknown.contains("unknown field `x`"), "{unknown}");
    }
}
