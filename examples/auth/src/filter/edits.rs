use inproxy::{headers::HeadersMut, prelude::*};

use crate::policy::{Edit, without_cookie, without_parameter};

/// Makes changes, in their order.
pub(crate) fn change(mut headers: HeadersMut<'_>, edits: &[Edit]) -> Result<()> {
    for edit in edits {
        match edit {
            Edit::Set(name, value) => headers.insert(name.as_str(), value.as_slice())?,
            Edit::Append(name, value) => headers.append(name.as_str(), value.as_slice())?,
            // In Envoy any change has the route chosen anew.
            Edit::Remove(name) if !headers.as_headers().contains(name.as_str()) => {}
            Edit::Remove(name) => headers.remove(name.as_str())?,
            Edit::RemoveParameter(name) => remove_parameter(&mut headers, name)?,
            Edit::RemoveCookie(name) => remove_cookie(&mut headers, name)?,
        }
    }
    Ok(())
}

fn remove_parameter(headers: &mut HeadersMut<'_>, name: &str) -> Result<()> {
    match headers.get(":path").and_then(|path| without_parameter(path.as_bytes(), name)) {
        Some(path) => headers.insert(":path", path.as_slice()),
        None => Ok(()),
    }
}

/// A client may send its cookies in several headers.
fn remove_cookie(headers: &mut HeadersMut<'_>, name: &str) -> Result<()> {
    let all: Vec<HeaderValue> = headers.as_headers().get_all("cookie").collect();
    let rest: Vec<Option<Vec<u8>>> = all.iter().map(|cookies| without_cookie(cookies.as_bytes(), name)).collect();
    if rest.iter().all(Option::is_none) {
        return Ok(());
    }
    headers.remove("cookie")?;
    for (before, rest) in all.iter().zip(&rest) {
        let cookies = rest.as_deref().unwrap_or(before.as_bytes());
        if !cookies.is_empty() {
            headers.append("cookie", cookies)?;
        }
    }
    Ok(())
}
