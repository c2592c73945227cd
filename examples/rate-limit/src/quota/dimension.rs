use std::{collections::BTreeMap, fmt, net::IpAddr};

/// What a request is counted by, by name.
pub(crate) type Dimensions = BTreeMap<String, Value>;

/// The value of a dimension.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Int(i64),
    Float(f64),
    Bool(bool),
    Address(IpAddr),
}

// === impl Value ===

impl Value {
    /// As people write it.
    pub(crate) fn to_text(&self) -> String {
        match self {
            Self::Text(value) => value.clone(),
            Self::Int(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            Self::Bool(value) => value.to_string(),
            Self::Address(value) => value.to_string(),
        }
    }

    /// Whether it is what the operator has written, read as a value of its kind.
    pub(crate) fn is(&self, text: &str) -> bool {
        match self {
            Self::Text(value) => value == text,
            Self::Int(value) => text.parse() == Ok(*value),
            Self::Float(value) => text.parse() == Ok(*value),
            Self::Bool(value) => boolean(text) == Some(*value),
            Self::Address(value) => text.parse::<IpAddr>().is_ok_and(|text| text.to_canonical() == value.to_canonical()),
        }
    }
}

/// As in a key of Mixer's: whole numbers to the base of 16, others as Go's `strconv` has them in the format `b`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(value) => escaped(value, f),
            Self::Int(value) if *value < 0 => write!(f, "-{:x}", value.unsigned_abs()),
            Self::Int(value) => write!(f, "{value:x}"),
            Self::Float(value) => binary(*value, f),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Address(value) => write!(f, "{value}"),
        }
    }
}

/// Mixer wrote texts as they are, so that a client could choose a value that makes its key another client's.
pub(super) fn escaped(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    text.chars().try_for_each(|char| match char {
        ';' => f.write_str("%3B"),
        '=' => f.write_str("%3D"),
        '%' => f.write_str("%25"),
        other => write!(f, "{other}"),
    })
}

/// The words that Go reads as a boolean.
fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

fn binary(value: f64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if !value.is_finite() {
        return write!(f, "{value}");
    }
    let bits = value.to_bits();
    let (fraction, exponent) = (bits & ((1 << 52) - 1), i64::from((bits >> 52) as u16 & 0x7ff));
    let (mantissa, exponent) = if exponent == 0 { (fraction, 1) } else { (fraction | (1 << 52), exponent) };
    let sign = if value.is_sign_negative() { "-" } else { "" };
    write!(f, "{sign}{mantissa}p{:+}", exponent - 1075)
}
