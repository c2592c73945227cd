//! The raw HTTP client of `ext_authz`: the service sees the client's request, and answers as it would answer the client.

use super::{
    Failure, Names, Told,
    names::{is_end_to_end, is_name, is_value},
    told::PARTIAL_BODY,
};
use crate::policy::{Code, Denial, Edit, Edits, Outcome, Verdict};

/// Which headers go where.
#[derive(Debug)]
pub(crate) struct Http {
    /// Before the path that the service sees.
    pub(crate) path_prefix: String,
    /// What the service sees of the request's headers, beside `authorization`, method, host and path.
    pub(crate) allowed_headers: Names,
    /// What it does not see, though it is among them.
    pub(crate) disallowed_headers: Names,
    /// What it sees too, in the place of the client's.
    pub(crate) headers_to_add: Vec<(String, Vec<u8>)>,
    /// What of a yes the upstream gets, in the place of the client's; and what behind that.
    pub(crate) allowed_upstream_headers: Names,
    pub(crate) allowed_upstream_headers_to_append: Names,
    /// What of a no its client gets; all, if it is empty.
    pub(crate) allowed_client_headers: Names,
    /// What of a yes the client gets with the upstream's response.
    pub(crate) allowed_client_headers_on_success: Names,
    pub(crate) failure: Failure,
}

/// What the service is sent.
pub(crate) struct Question {
    pub(crate) method: Vec<u8>,
    pub(crate) path: Vec<u8>,
    pub(crate) authority: Vec<u8>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

/// What it answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

/// Headers of a yes that name those which the upstream is not to get.
const TO_REMOVE: &str = "x-envoy-auth-headers-to-remove";

// === impl Http ===

impl Http {
    pub(crate) fn question(&self, told: &Told) -> Question {
        let is_seen = |name: &str| {
            let added = self.headers_to_add.iter().any(|(known, _)| known == name);
            let allowed = name == "authorization" || self.allowed_headers.have(name);
            allowed && !added && !self.disallowed_headers.have(name) && is_end_to_end(name) && !matches!(name, "host" | PARTIAL_BODY)
        };
        let mut headers: Vec<_> = told.headers.iter().filter(|(name, _)| is_seen(name)).cloned().collect();
        headers.extend(self.headers_to_add.iter().cloned());
        if let Some(body) = &told.body {
            headers.push((PARTIAL_BODY.to_owned(), body.said_to_be_partial().into()));
        }
        Question {
            method: told.header(":method").to_vec(),
            path: [self.path_prefix.as_bytes(), told.header(":path")].concat(),
            authority: told.header(":authority").to_vec(),
            headers,
            body: told.body.as_ref().map(|body| body.bytes.clone()).unwrap_or_default(),
        }
    }

    /// 200 is a yes, and nothing else; 500 to 599 is no answer.
    ///
    /// # Errors
    ///
    /// If it is no answer.
    pub(crate) fn verdict(&self, answer: Answer) -> Outcome {
        match answer.status {
            200 => Ok(Verdict::Allow(self.edits(&answer))),
            201..500 => Ok(Verdict::Deny(self.denial(answer))),
            status => Err(self.failure.undecided(format!("the service answered with status {status}"))),
        }
    }

    fn edits(&self, answer: &Answer) -> Edits {
        let mut edits = Edits::default();
        let mut set: Vec<&str> = Vec::new();
        for (name, value) in answer.headers.iter().filter(|(name, _)| is_end_to_end(name) && name != TO_REMOVE) {
            if self.allowed_upstream_headers.have(name) {
                // Several of one name come together in the place of the client's.
                let edit = if set.contains(&name.as_str()) { Edit::Append } else { Edit::Set };
                set.push(name);
                edits.request.push(edit(on_the_request(name), value.clone()));
            }
            if self.allowed_upstream_headers_to_append.have(name) {
                edits.request.push(Edit::Append(on_the_request(name), value.clone()));
            }
            if self.allowed_client_headers_on_success.have(name) {
                edits.response.push(Edit::Append(name.clone(), value.clone()));
            }
        }
        let lists = answer.headers.iter().filter(|(name, _)| name == TO_REMOVE).filter_map(|(_, value)| std::str::from_utf8(value).ok());
        let removed = lists.flat_map(|list| list.split(',')).map(|name| name.trim().to_ascii_lowercase());
        edits.request.extend(removed.filter(|name| is_name(name) && name != "host").map(Edit::Remove));
        edits
    }

    fn denial(&self, answer: Answer) -> Denial {
        // Of the way to the service, and what the proxy says in each response itself.
        const NOT_ITS_OWN: [&str; 4] = ["date", "host", "server", "x-envoy-upstream-service-time"];
        let is_shown = |name: &str| {
            let allowed = if self.allowed_client_headers.is_empty() {
                !NOT_ITS_OWN.contains(&name)
            } else {
                matches!(name, "www-authenticate" | "location") || self.allowed_client_headers.have(name)
            };
            allowed && is_end_to_end(name)
        };
        let headers = answer.headers.into_iter().filter(|(name, value)| is_shown(name) && name != TO_REMOVE && is_value(value)).collect();
        denial(Code::of_http(answer.status), answer.status, headers, answer.body)
    }
}

/// The host has a name of its own among a request's headers.
pub(super) fn on_the_request(name: &str) -> String {
    if name == "host" { ":authority" } else { name }.to_owned()
}

/// A no with everything that the client gets.
pub(super) fn denial(code: Code, status: u16, headers: Vec<(String, Vec<u8>)>, body: Vec<u8>) -> Denial {
    /// What fits into a header.
    const LONGEST: usize = 1024;

    let message: String = String::from_utf8_lossy(body.get(..LONGEST).unwrap_or(&body)).into_owned();
    let mut denial = Denial::new(code, message);
    denial.direct.status = Some(status);
    denial.direct.headers = headers;
    // These have no body.
    denial.direct.body = Some(if matches!(status, 204 | 304) { Vec::new() } else { body });
    denial
}

#[cfg(test)]
mod tests;
