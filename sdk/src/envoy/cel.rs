//! Expressions in [CEL](https://cel.dev), which the proxy evaluates over [what it knows of a stream](https://www.envoyproxy.io/docs/envoy/v1.40.0/intro/arch_overview/advanced/attributes): `request.path.startsWith('/api')`.
//!
//! An operator writes them into the filter's configuration; the filter has them compiled where it is configured, and evaluated for its streams. The module has no CEL of its own.
//!
//! # When
//!
//! The proxy evaluates for the context that it has called, and no other. So an expression is evaluated in a callback of the stream itself: before the first `await` of `handle`, and after an `await` that a callback of the stream
//! has ended, as those of [`Next::run`](crate::Next::run) and of bodies are. After a call-out or a timer the proxy has called the plugin, finds nothing of the stream, and would answer wrongly: that is [`CelError::NotInOwnCallback`].
//! Evaluate before, and keep the value. Which attributes there are is a matter of the phase, as [elsewhere](crate::attributes#which-there-are-and-when).
//!
//! # What can be in them
//!
//! Operators and macros of the language, `size`, `matches`, `contains`, `startsWith`, `endsWith`, conversions, times and durations; not the extensions for strings, such as `split`, nor comprehensions of more than 10 000 steps.
//! A header that is not there is an error, and so is what is made of it: ask `'x-key' in request.headers && request.headers['x-key'] == 'a'`.
//!
//! # Examples
//!
//! ```
//! use inproxy::{envoy::cel::Expression, prelude::*};
//!
//! /// Answers 403 to what the operator has denied.
//! #[filter]
//! #[config]
//! struct Denies {
//!     when: Expression,
//! }
//!
//! impl HttpFilter for Denies {
//!     async fn handle(&self, request: Request, next: Next) -> Result<Response> {
//!         if self.when.evaluate_bool(&request)? {
//!             return Ok(Response::new(StatusCode::FORBIDDEN));
//!         }
//!         Ok(next.run(request).await)
//!     }
//! }
//! ```

mod error;
mod expression;

pub use self::error::CelError;
pub use self::expression::Expression;
