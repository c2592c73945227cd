use inproxy::{headers::HeadersMut, prelude::*};

use crate::policy::Edit;

/// Makes changes, in their order.
pub(crate) fn change(mut headers: HeadersMut<'_>, edits: &[Edit]) -> Result<()> {
    for edit in edits {
        match edit {
            Edit::Set(name, value) => headers.insert(name.as_str(), value.as_slice())?,
            Edit::Append(name, value) => headers.append(name.as_str(), value.as_slice())?,
            Edit::Remove(name) => headers.remove(name.as_str())?,
            Edit::RemoveParameter(_) | Edit::RemoveCookie(_) => {}
        }
    }
    Ok(())
}
