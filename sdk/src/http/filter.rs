use crate::{Next, Request, Response, Result};

/// A filter as middleware: one async function, called for each request, which decides what becomes of it.
///
/// `self` is the plugin: one value for each VM and configuration, shared by all its streams. What belongs to one request are the local variables of `handle`.
///
/// - To let the request go on, give it to [`next.run`](Next::run); what it returns is the upstream's response, which waits until `handle` returns it.
/// - To answer in its place, return a [`Response::new`].
/// - To wait for something, `.await` it. The request waits meanwhile, the proxy's worker does not.
/// - While `handle` owns the request or the response, the proxy holds it back. A request that is dropped does not go on.
/// - When the client leaves, the future of `handle` is dropped at the `.await` where it is.
///
/// # Errors
///
/// What the proxy does when `handle` returns an error is said at [`OnError`].
///
/// # Examples
///
/// ```
/// use inproxy::prelude::*;
///
/// /// Adds one response header.
/// #[filter]
/// #[config]
/// struct AddHeader {
///     name: HeaderName,
///     value: HeaderValue,
/// }
///
/// impl HttpFilter for AddHeader {
///     async fn handle(&self, request: Request, next: Next) -> Result<Response> {
///         let mut response = next.run(request).await;
///         response.headers_mut().insert(&self.name, &self.value);
///         Ok(response)
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is registered with `#[filter]` but is not an HTTP filter",
    label = "does not implement `HttpFilter`",
    note = "write `impl HttpFilter for {Self} {{ async fn handle(&self, request: Request, next: Next) -> Result<Response> {{ Ok(next.run(request).await) }} }}`",
    note = "a filter that implements `HttpHooks` is registered with `#[filter(hooks)]`"
)]
pub trait HttpFilter: Sized + 'static {
    /// Handles one request.
    fn handle(&self, request: Request, next: Next) -> impl Future<Output = Result<Response>>;
}

/// What becomes of a request whose filter failed: `#[filter(on_error = deny)]`, the default, or `#[filter(on_error = allow)]`.
///
/// The error is logged with its causes. Then:
///
/// | when it fails | `Deny` | `Allow` |
/// |---|---|---|
/// | before the response's headers went on | the client gets status 500, or 413 if a request body was too large | request or response go on as they are |
/// | after that | the stream is reset: a late reply would pass for the end of a success | the rest goes on as it is |
/// | after somebody else answered early | the answer stands; the stream is reset if the answer has not ended, and the filter holds the end of the request's body | the answer stands, the request goes on |
///
/// `Allow` does not undo edits, and a body that was to be changed and could not be is as for `Deny`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnError {
    /// The request is refused.
    #[default]
    Deny,
    /// The request goes on.
    Allow,
}
