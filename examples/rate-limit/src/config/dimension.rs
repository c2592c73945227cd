use inproxy::{envoy::cel::Expression, prelude::*};

/// What of a request is the value of a dimension.
#[config(schema)]
#[derive(Debug)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    /// The address of the client, without its port, as the proxy sees it: behind others that it trusts, by `x-forwarded-for`.
    #[serde(rename = "source_address")]
    Client,
    /// The URI in the client's certificate, such as a SPIFFE id.
    Principal,
    /// The first value of a request header.
    Header(HeaderName),
    /// A text that an expression in CEL says.
    Cel(Expression),
    /// A whole number that an expression in CEL says.
    CelInt(Expression),
    /// A number that an expression in CEL says.
    CelDouble(Expression),
    /// Whether an expression in CEL is true.
    CelBool(Expression),
    /// Always this.
    Text(String),
}
