use inproxy::{envoy::cel::Expression, prelude::*};

/// An attribute that is made of others, as Istio's `attributegen` made them.
#[config(schema)]
#[derive(Debug)]
pub(crate) struct Attribute {
    /// Its name: an expression that is only this name is its value. Without a dot.
    pub(crate) output_attribute: String,
    /// The first of which the condition is true gives the value; if none is, there is no value.
    pub(crate) r#match: Vec<Value>,
}

/// A value, and when it is the one.
#[config(schema)]
#[derive(Debug)]
pub(crate) struct Value {
    /// The value.
    pub(crate) value: String,
    /// An expression in CEL. One that cannot be evaluated, or is neither true nor false, is not true. Without one: always.
    pub(crate) condition: Option<Expression>,
}
