use inproxy::{config::Duration, prelude::*};

use crate::policy::{Code, Denial, Direct};

/// How it says no: Mixer's defaults.
#[config(schema)]
#[derive(Debug)]
pub(crate) struct Settings {
    #[serde(default)]
    status: Status,
    /// What the client of HTTP gets in the place of the status: Mixer's `DirectHttpResponse`.
    direct_response: Option<Response>,
    #[serde(default = "five_seconds", alias = "validDuration")]
    pub(crate) valid_duration: Duration,
    #[serde(default = "a_thousand", alias = "validUseCount")]
    pub(crate) valid_use_count: u32,
}

/// A status of gRPC.
#[config(schema)]
#[derive(Debug)]
struct Status {
    /// Its number.
    #[serde(default = "failed_precondition")]
    code: u32,
    #[serde(default)]
    message: String,
}

/// An answer.
#[config(schema)]
#[derive(Debug)]
struct Response {
    /// The HTTP status; if it is not there, the one that Mixer took for the code.
    code: Option<u16>,
    #[serde(default)]
    body: String,
    /// `set-cookie` may say several cookies, with commas between them.
    #[serde(default)]
    headers: std::collections::BTreeMap<String, String>,
}

/// A denier that cannot be meant.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DenierError {
    #[error("status.code: {0} is no code of gRPC that denies: write 1 to 16, such as 7 for PERMISSION_DENIED")]
    Code(u32),
    #[error("direct_response.code: {0} is no status of an answer with a body: write one of 200 to 599, not 204 or 304")]
    Status(u16),
}

// === impl Settings ===

impl Settings {
    /// What it says.
    pub(crate) fn denial(&self) -> Result<Denial, DenierError> {
        let code = Code::new(self.status.code).filter(|code| *code != Code::OK).ok_or(DenierError::Code(self.status.code))?;
        let mut denial = Denial::new(code, self.status.message.clone());
        if let Some(response) = &self.direct_response {
            if let Some(status) = response.code.filter(|status| !(200..600).contains(status) || matches!(status, 204 | 304)) {
                return Err(DenierError::Status(status));
            }
            denial.direct = Direct { status: response.code, headers: response.headers(), body: Some(response.body.clone().into_bytes()) };
            denial.direct.status = Some(denial.http());
        }
        Ok(denial)
    }
}

// === impl Response ===

impl Response {
    fn headers(&self) -> Vec<(String, Vec<u8>)> {
        let each = self.headers.iter().flat_map(|(name, value)| {
            let cookies = name.eq_ignore_ascii_case("set-cookie");
            let values: Vec<&str> = if cookies { value.split(',').map(str::trim).collect() } else { vec![value] };
            values.into_iter().map(|value| (name.clone(), value.as_bytes().to_vec())).collect::<Vec<_>>()
        });
        each.collect()
    }
}

// === impl Status ===

impl Default for Status {
    fn default() -> Self {
        Self { code: failed_precondition(), message: String::new() }
    }
}

fn failed_precondition() -> u32 {
    Code::FAILED_PRECONDITION.number()
}

fn five_seconds() -> Duration {
    Duration::from_secs(5)
}

fn a_thousand() -> u32 {
    1000
}
