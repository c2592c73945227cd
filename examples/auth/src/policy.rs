//! What checks and rules have in common. Nothing here knows the proxy.

mod code;
mod facts;
mod requirement;
mod validity;
mod verdict;

pub(crate) use self::code::Code;
pub(crate) use self::facts::Facts;
pub(crate) use self::requirement::Requirement;
pub(crate) use self::validity::{Kept, Validity};
pub(crate) use self::verdict::{Denial, Direct, Edit, Edits, Outcome, Undecided, Verdict};
