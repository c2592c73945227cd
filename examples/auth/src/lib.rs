//! Who may pass: Mixer's authorization adapters, and what is expected of one filter today.
//!
//! **Checks** say yes, no, or that they do not know. **Rules** say which requests need which of them. The first rule that matches a request counts; a request that none matches is refused, unless the configuration says otherwise.
//!
//! | folder | what is in it |
//! |---|---|
//! | `config` | what the operator writes, and what is wrong with it |
//! | `checks` | each check, as ordinary Rust: it knows nothing of the proxy |
//! | `policy` | what checks and rules have in common: verdicts, codes, which checks are needed |
//! | `filter` | the filter: what it reads of a request, whom it asks, what it answers |

mod checks;
mod config;
mod filter;
#[cfg(feature = "fuzz")]
#[doc(hidden)]
pub mod fuzz;
mod policy;

pub use self::config::Settings;
pub use self::filter::Auth;
