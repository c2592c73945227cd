use std::rc::Rc;

use crate::{
    envoy::ForeignError,
    error::{Quoted, debug_as_display},
};

/// An expression was not compiled, or has no value.
///
/// # Examples
///
/// An expression that fails, since a header is missing for example, is taken for "no":
///
/// ```
/// use inproxy::{envoy::cel::{CelError, Expression}, prelude::*};
///
/// fn holds(expression: &Expression, request: &Request) -> Result<bool, CelError> {
///     match expression.evaluate_bool(request) {
///         Err(CelError::Failed { .. }) => Ok(false),
///         other => other,
///     }
/// }
/// ```
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CelError {
    /// The proxy cannot compile it: it is not CEL, or calls a function that Envoy does not have.
    #[error("the proxy cannot compile the expression {}: it says why in its log, at level info of its wasm logger", Quoted(expression))]
    Invalid {
        /// The expression.
        expression: Rc<str>,
    },
    /// Expressions are compiled for a plugin: where it is configured, or in one of its tasks.
    #[error(
        "the expression {} is compiled neither where a plugin is configured nor in a task of one: do it there, once, and not for each stream",
        Quoted(expression)
    )]
    NotInPlugin {
        /// The expression.
        expression: Rc<str>,
    },
    /// It was compiled for another plugin, or another configuration of this one.
    #[error("the expression {} is another plugin's", Quoted(expression))]
    OfAnotherPlugin {
        /// The expression.
        expression: Rc<str>,
    },
    /// The proxy has called for the plugin, not for the stream, whose attributes an expression would then not find.
    #[error(
        "the expression {} is evaluated after an await that a call-out, a timer or a message has ended, where the proxy does not find the stream: evaluate it before, and keep the value",
        Quoted(expression)
    )]
    NotInOwnCallback {
        /// The expression.
        expression: Rc<str>,
    },
    /// The stream is over, or it is another one's turn; or the response is the filter's own, and not of a stream.
    #[error("the stream for which an expression is evaluated is over, or this is not its task")]
    NotHere,
    /// It cannot be evaluated: an attribute or a header is not there, or not in this phase; or types do not fit.
    #[error(
        "the expression {} has no value: something of it is not there in this phase, or types do not fit; the proxy says which in its log, at level debug of its wasm logger",
        Quoted(expression)
    )]
    Failed {
        /// The expression.
        expression: Rc<str>,
    },
    /// Its value is one that the proxy cannot hand over: null, a type, or a whole group of attributes.
    #[error("the value of the expression {} is null, or of a kind that the proxy does not hand over", Quoted(expression))]
    NoValue {
        /// The expression.
        expression: Rc<str>,
    },
    /// Its value is not of the type that was asked for.
    #[error("the value of the expression {} is not a {expected}", Quoted(expression))]
    OtherType {
        /// The expression.
        expression: Rc<str>,
        /// The type.
        expected: &'static str,
    },
    /// The proxy cannot do it.
    #[error(transparent)]
    Foreign(#[from] ForeignError),
}

debug_as_display!(CelError);
