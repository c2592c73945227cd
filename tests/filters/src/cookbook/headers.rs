//! Headers as they are: bytes, several of a name, and some that a client must not set.

use inproxy::prelude::*;

// ANCHOR: headers
/// Takes off what only the proxy may set, passes on what the client calls itself, and adds a cookie.
#[filter(root_id = "cookbook_headers")]
#[config]
pub struct Clean {
    /// Headers that begin so come from inside.
    internal: String,
}

/// Checked when it is compiled: edits with it cannot fail, and need no `?`.
const CLIENT: HeaderName = HeaderName::from_static("x-client");

impl HttpFilter for Clean {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        let names = request.headers().iter().filter_map(|(name, _)| String::from_utf8(name).ok());
        let internal: Vec<_> = names.filter(|name| name.starts_with(&self.internal)).collect();
        for name in internal {
            request.headers_mut().remove(name)?;
        }
        if let Some(client) = request.headers().get(&CLIENT) {
            // For people to read. What goes on is the bytes that came.
            log::info!("from {}", client.to_string_lossy());
            request.headers_mut().insert("x-acme-client", client)?;
        }
        let hops = request.headers().get_all("x-forwarded-for").count();
        request.headers_mut().insert("x-acme-hops", hops.to_string())?;
        let mut response = next.run(request).await;
        response.headers_mut().append("set-cookie", "seen=1; Secure; HttpOnly")?;
        response.headers_mut().remove("x-powered-by")?;
        Ok(response)
    }
}
// ANCHOR_END: headers
