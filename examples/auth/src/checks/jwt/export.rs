//! What others get of the claims.

use serde_json::Value;

use super::{base64url, token::Signed};
use crate::policy::{Edit, Edits};

/// Which claims go where.
#[derive(Clone, Debug, Default)]
pub(crate) struct Export {
    /// The path of a claim, and a header of the request.
    pub(crate) headers: Vec<(String, String)>,
    /// The path of a claim, and the name of a filter state.
    pub(crate) filter_state: Vec<(String, String)>,
    /// The header for all claims, in base64.
    pub(crate) payload_header: Option<String>,
}

// === impl Export ===

impl Export {
    /// The headers in which only this check says something.
    pub(crate) fn own_headers(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().map(|(_, name)| name.as_str()).chain(self.payload_header.as_deref())
    }

    pub(crate) fn of(&self, signed: Signed<'_>) -> Edits {
        let payload = self.payload_header.iter().map(|name| Edit::Set(name.clone(), signed.payload.as_bytes().to_vec()));
        // Several claims may share a header, in which there is nothing before.
        let claims = self.headers.iter().filter_map(|(path, name)| {
            let text = signed.claims.at(path).and_then(text).filter(|text| may_be_in_a_header(text))?;
            Some(Edit::Append(name.clone(), text.into_bytes()))
        });
        let states = self.filter_state.iter().filter_map(|(path, name)| Some((name.clone(), signed.claims.at(path).and_then(text)?.into_bytes())));
        Edits { request: claims.chain(payload).collect(), filter_state: states.collect(), ..Edits::default() }
    }
}

/// Texts, numbers and booleans as they are, lists of them with commas between them, objects as JSON in base64. Nothing of a list in which a text has a comma: it would be read as two.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Array(list) => match list.iter().map(scalar).collect::<Option<Vec<_>>>() {
            Some(texts) if texts.iter().any(|text| text.contains(',')) => None,
            Some(texts) => Some(texts.join(",")),
            None => Some(base64url::encode(value.to_string().as_bytes())),
        },
        Value::Object(_) => Some(base64url::encode(value.to_string().as_bytes())),
        _ => scalar(value),
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(bool) => Some(bool.to_string()),
        _ => None,
    }
}

/// No line ends and no other control characters; a claim with such is not passed on.
fn may_be_in_a_header(text: &str) -> bool {
    !text.chars().any(char::is_control)
}
