use inproxy::{attributes::Attributes, prelude::*};

use crate::config::attribute::Attribute;

/// The attributes that are made of others.
#[derive(Debug)]
pub(crate) struct Made(Vec<Attribute>);

// === impl Made ===

impl Made {
    pub(crate) fn try_new(attributes: Vec<Attribute>) -> Result<Self> {
        for (place, attribute) in attributes.iter().enumerate() {
            let name = &attribute.output_attribute;
            let mut letters = name.bytes();
            let begins = letters.next().is_some_and(|letter| letter.is_ascii_alphabetic() || letter == b'_');
            if !begins || !letters.all(|letter| letter.is_ascii_alphanumeric() || letter == b'_') {
                let path = format!("attributes[{place}].output_attribute");
                return Err(Error::msg(format!(
                    "{path}: {name:?} is not the name of an attribute: it needs letters, digits and `_`, and no digit at its beginning"
                )));
            }
            if attributes.iter().take(place).any(|other| other.output_attribute == *name) {
                return Err(Error::msg(format!("attributes[{place}].output_attribute: {name:?} is there twice")));
            }
        }
        Ok(Self(attributes))
    }

    /// Which of them an expression is the name of.
    pub(crate) fn named(&self, expression: &str) -> Option<usize> {
        self.0.iter().position(|attribute| attribute.output_attribute == expression.trim())
    }

    /// What they are for a stream now, in their order.
    pub(crate) fn of(&self, stream: Attributes<'_>) -> Vec<Option<&str>> {
        self.0.iter().map(|attribute| attribute.of(stream)).collect()
    }

    /// Leaves them in the filter state, where access loggers find them as `wasm.NAME`.
    pub(crate) fn leave(&self, values: &[Option<&str>], stream: Attributes<'_>) {
        for (Attribute { output_attribute: name, .. }, value) in self.0.iter().zip(values) {
            if let Some(value) = value
                && let Err(error) = stream.filter_state().set(name, value)
            {
                log::debug!("{name}: {error}");
            }
        }
    }
}

// === impl Attribute ===

impl Attribute {
    fn of(&self, stream: Attributes<'_>) -> Option<&str> {
        let holds = |condition: &Option<_>| {
            condition.as_ref().is_none_or(|condition: &inproxy::envoy::cel::Expression| condition.evaluate_bool(stream).unwrap_or(false))
        };
        Some(&self.r#match.iter().find(|value| holds(&value.condition))?.value)
    }
}
