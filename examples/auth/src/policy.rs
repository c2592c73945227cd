//! What checks and rules have in common. Nothing here knows the proxy.

mod challenge;
mod code;
mod digest;
mod facts;
mod query;
mod requirement;
mod secret;
mod source;
mod validity;
mod verdict;

pub(crate) use self::challenge::{Challenge, RealmError};
pub(crate) use self::code::Code;
pub(crate) use self::digest::Digest;
pub(crate) use self::facts::Facts;
pub(crate) use self::query::with_parameter;
pub(crate) use self::requirement::Requirement;
pub(crate) use self::secret::Secret;
pub(crate) use self::source::{Credential, Found, Source, without_cookie, without_parameter};
pub(crate) use self::validity::{Kept, Validity};
pub(crate) use self::verdict::{Denial, Direct, Edit, Edits, Outcome, Undecided, Verdict};
