//! A token, as it comes.

use super::{algorithm::Algorithm, base64url, key_set::KeySet, object::Object, refusal::Refusal};

/// A JSON Web Token that says of itself what it says: a [compact JWS](https://www.rfc-editor.org/rfc/rfc7515#section-3.1). Whether that is true shows [`Token::verify`].
pub(crate) struct Token<'a> {
    /// Header and payload, with the dot between them.
    signed: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
    pub(crate) algorithm: Algorithm,
    key_id: Option<String>,
    /// Its `typ`, if it has one.
    pub(crate) kind: Option<String>,
    claims: Object,
}

/// What an issuer has signed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signed<'a> {
    pub(crate) claims: &'a Object,
    /// In base64.
    pub(crate) payload: &'a str,
}

// === impl Token ===

impl<'a> Token<'a> {
    /// Reads a token of so many bytes at most.
    pub(crate) fn parse(token: &'a [u8], most: usize) -> Result<Self, Refusal> {
        if token.len() > most {
            return Err(Refusal::TooLong);
        }
        let text = std::str::from_utf8(token).map_err(|_| Refusal::Form)?;
        let (signed, signature) = text.rsplit_once('.').ok_or(Refusal::Form)?;
        let (header, payload) = signed.split_once('.').ok_or(Refusal::Form)?;
        if payload.contains('.') || header.is_empty() {
            return Err(Refusal::Form);
        }
        let header = base64url::decode(header).ok_or(Refusal::HeaderEncoding)?;
        let header = Object::parse(&header).ok_or(Refusal::HeaderJson)?;
        let text = |name| header.text(name).map_err(Refusal::Header);
        let algorithm = text("alg")?.ok_or(Refusal::Header("alg"))?.parse().map_err(|_| Refusal::Algorithm)?;
        // Who does not know what is critical must refuse; this knows of nothing (RFC 7515 §4.1.11).
        if header.get("crit").is_some() {
            return Err(Refusal::Critical);
        }
        let (key_id, kind) = (text("kid")?.map(str::to_owned), text("typ")?.map(str::to_owned));
        let claims = base64url::decode(payload).ok_or(Refusal::PayloadEncoding)?;
        let claims = Object::parse(&claims).ok_or(Refusal::PayloadJson)?;
        let signature = base64url::decode(signature).ok_or(Refusal::SignatureEncoding)?;
        Ok(Self { signed, payload, signature, algorithm, key_id, kind, claims })
    }

    /// What it says, which counts for nothing yet.
    pub(crate) fn unverified(&self) -> &Object {
        &self.claims
    }

    /// What its issuer has signed, if one of these keys is the issuer's.
    ///
    /// # Errors
    ///
    /// [`Refusal::UnknownKey`] if newer keys might have the right one, [`Refusal::Signature`] if not.
    pub(crate) fn verify(&self, keys: &KeySet) -> Result<Signed<'_>, Refusal> {
        let mut fitting = keys.fitting(self.algorithm, self.key_id.as_deref()).peekable();
        let may_be_newer = fitting.peek().is_none() || self.key_id.is_none();
        if fitting.any(|key| key.verify(self.algorithm, self.signed.as_bytes(), &self.signature)) {
            return Ok(Signed { claims: &self.claims, payload: self.payload });
        }
        Err(if may_be_newer { Refusal::UnknownKey } else { Refusal::Signature })
    }
}
