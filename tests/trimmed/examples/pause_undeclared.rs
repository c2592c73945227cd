//! Pauses headers in callbacks, and has declared no callback for the body behind them.

use inproxy::{
    hooks::{Action, HttpHooks, RequestHeaders},
    prelude::*,
};

/// The filter.
#[filter(hooks(request_headers))]
#[config]
pub struct PauseUndeclared;

impl HttpHooks for PauseUndeclared {
    type Stream = ();

    fn on_request_headers(&self, _: &mut (), _: RequestHeaders<'_>) -> Action {
        Action::Pause
    }
}
