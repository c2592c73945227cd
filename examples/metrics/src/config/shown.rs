use inproxy::{
    attributes::Attributes,
    envoy::cel::{CelError, Expression},
    prelude::*,
};
use serde::{Deserialize, Deserializer, de};

/// An expression in CEL whose value is taken as text, whatever type it has: a text, a number, a truth value, a time or a duration.
#[config(schema)]
#[derive(Debug)]
#[serde(transparent)]
pub(crate) struct Shown(#[serde(deserialize_with = "compiled")] Expression);

// === impl Shown ===

impl Shown {
    pub(crate) fn compile(text: &str) -> Result<Self, CelError> {
        Ok(Self(compile(text)?))
    }

    pub(crate) fn evaluate(&self, stream: Attributes<'_>) -> Result<String, CelError> {
        self.0.evaluate_text(stream)
    }

    /// The expression, as the operator has written it.
    pub(crate) fn text(&self) -> &str {
        let text = self.0.text();
        text.strip_prefix(BEFORE).and_then(|text| text.strip_suffix(BEHIND)).unwrap_or(text)
    }
}

/// Lines of their own: the expression may end with a comment.
const BEFORE: &str = "string(\n";
const BEHIND: &str = "\n)";

fn compile(text: &str) -> Result<Expression, CelError> {
    Expression::compile(&[BEFORE, text, BEHIND].concat()).map_err(|error| match error {
        CelError::Invalid { .. } => CelError::Invalid { expression: text.into() },
        other => other,
    })
}

fn compiled<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Expression, D::Error> {
    compile(&String::deserialize(deserializer)?).map_err(de::Error::custom)
}
