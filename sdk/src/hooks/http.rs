use super::{Action, CallResponse, Finished, RequestBody, RequestHeaders, RequestTrailers, ResponseBody, ResponseHeaders, ResponseTrailers};

/// The callbacks of an HTTP filter, in the order in which a stream meets them. Each has a default that lets the stream pass.
///
/// `self` is the plugin, shared by all its streams; `stream` is the state of one. `Action::Continue` passes the piece on, `Action::Pause` holds
/// it back until [`CallResponse::resume_request`] or [`resume_response`](CallResponse::resume_response).
///
/// # Pausing
///
/// What a `Pause` at headers stops depends on `allow_on_headers_stop_iteration` of the
/// [plugin's configuration](https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/extensions/wasm/v3/wasm.proto): without it body and trailers are not even delivered;
/// with it they are, and a `Continue` from one of those callbacks releases the headers too. The defaults of the body and trailers
/// callbacks therefore pause while the headers are held. A filter that writes its own must do the same, unless it means to let the headers go:
/// [`RequestBody::while_headers_are_held`] does.
///
/// One thing must not be done: to hold a body with `Pause`, after the headers were resumed by a call, and then to let it go by returning `Continue` from the trailers callback. Envoy
/// 1.40 loses the body. Resume from another callback instead.
///
/// # Bodies
///
/// The proxy does not mend `content-length` after a body was changed. Remove it, or set it, while the headers are there.
///
/// # Examples
///
/// ```
/// use inproxy::{hooks::{Action, HttpHooks, RequestHeaders}, prelude::*};
///
/// #[filter(hooks)]
/// #[config]
/// struct Deny {
///     path: String,
/// }
///
/// impl HttpHooks for Deny {
///     type Stream = ();
///
///     fn on_request_headers(&self, _: &mut (), request: RequestHeaders<'_>) -> Action {
///         match request.headers().get(":path") {
///             Some(path) if path == self.path.as_str() => request.reply(LocalReply::new(StatusCode::FORBIDDEN)),
///             _ => Action::Continue,
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is registered with `#[filter(hooks)]` but has no callbacks",
    label = "does not implement `HttpHooks`",
    note = "write `impl HttpHooks for {Self} {{ type Stream = (); … }}`, or `#[filter]` alone for a filter that implements `HttpFilter`"
)]
#[allow(unused_variables, reason = "the names of the defaults' parameters are documentation")]
pub trait HttpHooks: Sized + 'static {
    /// What a stream remembers from one callback to the next.
    type Stream: Default + 'static;

    /// The request's headers have arrived.
    fn on_request_headers(&self, stream: &mut Self::Stream, request: RequestHeaders<'_>) -> Action {
        Action::Continue
    }

    /// A part of the request's body has arrived; all of it so far, if earlier parts were paused.
    fn on_request_body(&self, stream: &mut Self::Stream, body: RequestBody<'_>) -> Action {
        body.while_headers_are_held()
    }

    /// The request's trailers have arrived, and end it.
    fn on_request_trailers(&self, stream: &mut Self::Stream, trailers: RequestTrailers<'_>) -> Action {
        trailers.while_headers_are_held()
    }

    /// The response's headers have arrived: the upstream's, or those of a reply by the proxy or by another filter. Not called for a reply of this filter.
    fn on_response_headers(&self, stream: &mut Self::Stream, response: ResponseHeaders<'_>) -> Action {
        Action::Continue
    }

    /// A part of the response's body has arrived; all of it so far, if earlier parts were paused.
    fn on_response_body(&self, stream: &mut Self::Stream, body: ResponseBody<'_>) -> Action {
        body.while_headers_are_held()
    }

    /// The response's trailers have arrived, and end it.
    fn on_response_trailers(&self, stream: &mut Self::Stream, trailers: ResponseTrailers<'_>) -> Action {
        trailers.while_headers_are_held()
    }

    /// A call-out of this stream was answered, or failed.
    fn on_call_response(&self, stream: &mut Self::Stream, call: CallResponse<'_>) {}

    /// The stream is over; nothing can be changed any more.
    fn on_log(&self, stream: &mut Self::Stream, finished: Finished<'_>) {}
}
