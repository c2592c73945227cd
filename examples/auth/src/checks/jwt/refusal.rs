use crate::policy::{Challenge, Code, Denial};

/// What is wrong with a token: what its client is told, in the words of [Envoy's own filter](https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_filters/jwt_authn_filter). Nothing of the token is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("Jwt is missing")]
    Missing,
    #[error("There is more than one Jwt")]
    Several,
    #[error("Jwt is too long")]
    TooLong,
    #[error("Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections")]
    Form,
    #[error("Jwt header is an invalid Base64url encoded")]
    HeaderEncoding,
    #[error("Jwt header is an invalid JSON")]
    HeaderJson,
    #[error("Jwt header [{0}] field is not a string")]
    Header(&'static str),
    #[error("Jwt header [crit] field is not supported")]
    Critical,
    #[error("Jwt header [typ] is not allowed")]
    Type,
    #[error("Jwt header [alg] is not supported")]
    Algorithm,
    #[error("Jwt header [alg] is not allowed")]
    AlgorithmNotAllowed,
    #[error("Jwt payload is an invalid Base64url encoded")]
    PayloadEncoding,
    #[error("Jwt payload is an invalid JSON")]
    PayloadJson,
    #[error("Jwt payload [{0}] field is not a string")]
    Text(&'static str),
    #[error("Jwt payload [{0}] field is not a time")]
    Time(&'static str),
    #[error("Jwt payload [aud] field is not a string or string list")]
    AudienceForm,
    #[error("Jwt signature is an invalid Base64url encoded")]
    SignatureEncoding,
    #[error("Jwt issuer is not configured")]
    Issuer,
    #[error("Jwt subject is not allowed")]
    Subject,
    #[error("Audiences in Jwt are not allowed")]
    Audience,
    #[error("Jwt has no expiration")]
    NoExpiration,
    #[error("Jwt is expired")]
    Expired,
    #[error("Jwt not yet valid")]
    NotYet,
    #[error("Jwt is valid for too long")]
    Lifetime,
    #[error("Jwks doesn't have key to match kid or alg from Jwt")]
    UnknownKey,
    #[error("Jwt verification fails")]
    Signature,
}

// === impl Refusal ===

impl Refusal {
    /// What the client gets, as [RFC 6750 §3](https://www.rfc-editor.org/rfc/rfc6750#section-3) has it: no error where there was no token. Access logs show it as they do of Envoy's own filter.
    pub(crate) fn denial(self, challenge: &Challenge) -> Denial {
        let (code, error) = match self {
            Self::Missing => (Code::UNAUTHENTICATED, None),
            Self::Several => (Code::UNAUTHENTICATED, Some("invalid_request")),
            Self::Audience => (Code::PERMISSION_DENIED, Some("invalid_token")),
            _ => (Code::UNAUTHENTICATED, Some("invalid_token")),
        };
        let challenge = match error {
            Some(error) => challenge.with("error", error),
            None => challenge.clone(),
        };
        let mut denial = Denial::new(code, self.to_string()).with_header("www-authenticate", challenge.as_str());
        denial.details = Some(format!("jwt_authn_access_denied{{{}}}", denial.message.replace(' ', "_")));
        denial
    }
}
