use std::fmt;

use serde::{Deserialize, Deserializer, de};

/// What may have secrets in it, or in the place of something else: an error in it tells where it is and what was expected, and nothing of what is there.
///
/// Serde's own errors say `invalid type: string "the key", expected a sequence`, and show fields that they do not know.
#[derive(Debug)]
pub(crate) struct Hushed<T>(T);

/// Stands between a type and what it is read from.
struct Quiet<T>(T);

/// An error that keeps to itself what the text has.
#[derive(Debug)]
struct Discreet<E>(E);

// === impl Hushed ===

impl<T> Hushed<T> {
    pub(crate) const fn get(&self) -> &T {
        &self.0
    }

    pub(crate) fn into_inner(self) -> T {
        self.0
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Hushed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(Quiet(deserializer)).map(Self).map_err(|error| error.0)
    }
}

// === impl Discreet ===

impl<E: fmt::Display> fmt::Display for Discreet<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<E: de::Error> std::error::Error for Discreet<E> {}

impl<E: de::Error> de::Error for Discreet<E> {
    /// Without what it has in quotes: such as `"x api-key: 123" is not a header name`.
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(E::custom(without_quoted(&message.to_string())))
    }

    fn invalid_type(unexpected: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self(E::custom(format_args!("invalid type: {}, expected {expected}", kind(unexpected))))
    }

    fn invalid_value(unexpected: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self(E::custom(format_args!("invalid value: {}, expected {expected}", kind(unexpected))))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self(E::custom(format_args!("unknown variant, expected {}", expected.join(", "))))
    }

    fn unknown_field(_: &str, expected: &'static [&'static str]) -> Self {
        Self(E::custom(format_args!("unknown field, expected {}", expected.join(", "))))
    }
}

fn kind(unexpected: de::Unexpected<'_>) -> &'static str {
    match unexpected {
        de::Unexpected::Bool(_) => "boolean",
        de::Unexpected::Unsigned(_) | de::Unexpected::Signed(_) => "integer",
        de::Unexpected::Float(_) => "floating point",
        de::Unexpected::Str(_) => "string",
        de::Unexpected::Seq => "sequence",
        de::Unexpected::Map => "map",
        de::Unexpected::Unit => "null",
        _ => "another one",
    }
}

fn without_quoted(message: &str) -> String {
    let (mut shown, mut quoted, mut escaped) = (String::new(), false, false);
    for c in message.chars() {
        match c {
            '"' if !escaped => {
                quoted = !quoted;
                shown.push_str(if quoted { "\"…" } else { "\"" });
            }
            _ if !quoted => shown.push(c),
            _ => {}
        }
        escaped = c == '\\' && !escaped;
    }
    shown
}

// === impl Quiet ===

/// What a text does not have, JSON's own deserializer says without asking the type, and shows it; asked for anything, it leaves that to the type.
macro_rules! deserialize_any_for {
    ($($method:ident($($type:ty),*))*) => {
        $(fn $method<V: de::Visitor<'de>>(self, $(_: $type,)* visitor: V) -> Result<V::Value, Self::Error> {
            self.0.deserialize_any(Quiet(visitor)).map_err(Discreet)
        })*
    };
}

macro_rules! deserialize {
    ($($method:ident($($argument:ident: $type:ty),*))*) => {
        $(fn $method<V: de::Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, Self::Error> {
            self.0.$method($($argument,)* Quiet(visitor)).map_err(Discreet)
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Quiet<D> {
    type Error = Discreet<D::Error>;

    deserialize_any_for! {
        deserialize_any() deserialize_bool() deserialize_char() deserialize_str() deserialize_string() deserialize_bytes() deserialize_byte_buf()
        deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64() deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64()
        deserialize_f32() deserialize_f64() deserialize_unit() deserialize_unit_struct(&'static str) deserialize_seq() deserialize_tuple(usize)
        deserialize_tuple_struct(&'static str, usize) deserialize_map() deserialize_struct(&'static str, &'static [&'static str]) deserialize_identifier()
    }
    deserialize! {
        deserialize_option() deserialize_newtype_struct(name: &'static str) deserialize_enum(name: &'static str, variants: &'static [&'static str])
        deserialize_ignored_any()
    }
}

macro_rules! visit {
    ($($method:ident($type:ty))*) => {
        $(fn $method<E: de::Error>(self, value: $type) -> Result<V::Value, E> {
            self.0.$method::<Discreet<E>>(value).map_err(|error| error.0)
        })*
    };
}

impl<'de, V: de::Visitor<'de>> de::Visitor<'de> for Quiet<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    visit! { visit_bool(bool) visit_i64(i64) visit_u64(u64) visit_f64(f64) visit_str(&str) visit_borrowed_str(&'de str) visit_string(String) }

    fn visit_none<E: de::Error>(self) -> Result<V::Value, E> {
        self.0.visit_none::<Discreet<E>>().map_err(|error| error.0)
    }

    fn visit_unit<E: de::Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit::<Discreet<E>>().map_err(|error| error.0)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(Quiet(deserializer)).map_err(|error| error.0)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.0.visit_newtype_struct(Quiet(deserializer)).map_err(|error| error.0)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, list: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(Quiet(list)).map_err(|error| error.0)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Quiet(map)).map_err(|error| error.0)
    }

    fn visit_enum<A: de::EnumAccess<'de>>(self, data: A) -> Result<V::Value, A::Error> {
        self.0.visit_enum(Quiet(data)).map_err(|error| error.0)
    }
}

impl<'de, S: de::DeserializeSeed<'de>> de::DeserializeSeed<'de> for Quiet<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Quiet(deserializer)).map_err(|error| error.0)
    }
}

impl<'de, A: de::SeqAccess<'de>> de::SeqAccess<'de> for Quiet<A> {
    type Error = Discreet<A::Error>;

    fn next_element_seed<T: de::DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Self::Error> {
        self.0.next_element_seed(Quiet(seed)).map_err(Discreet)
    }
}

impl<'de, A: de::MapAccess<'de>> de::MapAccess<'de> for Quiet<A> {
    type Error = Discreet<A::Error>;

    /// The key is read first and judged then: were it refused while it is read, it would be in the path of the error.
    fn next_key_seed<K: de::DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Self::Error> {
        let Some(key) = self.0.next_key::<String>().map_err(Discreet)? else { return Ok(None) };
        seed.deserialize(de::IntoDeserializer::<Self::Error>::into_deserializer(key)).map(Some)
    }

    fn next_value_seed<T: de::DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Self::Error> {
        self.0.next_value_seed(Quiet(seed)).map_err(Discreet)
    }
}

impl<'de, A: de::EnumAccess<'de>> de::EnumAccess<'de> for Quiet<A> {
    type Error = Discreet<A::Error>;
    type Variant = Quiet<A::Variant>;

    /// As with keys.
    fn variant_seed<T: de::DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self::Variant), Self::Error> {
        let (name, rest) = self.0.variant::<String>().map_err(Discreet)?;
        Ok((seed.deserialize(de::IntoDeserializer::<Self::Error>::into_deserializer(name))?, Quiet(rest)))
    }
}

impl<'de, A: de::VariantAccess<'de>> de::VariantAccess<'de> for Quiet<A> {
    type Error = Discreet<A::Error>;

    fn unit_variant(self) -> Result<(), Self::Error> {
        self.0.unit_variant().map_err(Discreet)
    }

    fn newtype_variant_seed<T: de::DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Self::Error> {
        self.0.newtype_variant_seed(Quiet(seed)).map_err(Discreet)
    }

    fn tuple_variant<V: de::Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Self::Error> {
        self.0.tuple_variant(len, Quiet(visitor)).map_err(Discreet)
    }

    fn struct_variant<V: de::Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Self::Error> {
        self.0.struct_variant(fields, Quiet(visitor)).map_err(Discreet)
    }
}

#[cfg(test)]
#[allow(dead_code, reason = "what is only read")]
mod tests {
    use inproxy::prelude::*;

    use super::*;

    #[config]
    #[derive(Debug)]
    struct Settings {
        hidden: Hushed<Inner>,
    }

    #[config]
    #[derive(Debug)]
    struct Inner {
        list: Vec<String>,
        #[serde(default)]
        number: Option<u8>,
        header: Option<HeaderName>,
        kind: Option<Kind>,
    }

    #[config]
    #[derive(Debug)]
    enum Kind {
        One,
        Other(u8),
    }

    #[test]
    fn nothing_of_the_text_is_in_an_error() {
        for (json, expected) in [
            (r#""s3cret""#, "hidden: invalid type: string, expected struct Inner"),
            ("7777", "hidden: invalid type: integer, expected struct Inner"),
            (r#"{ "list": "s3cret" }"#, "hidden.list: invalid type: string, expected a sequence"),
            (r#"{ "list": [7777] }"#, "hidden.list[0]: invalid type: integer, expected a string"),
            (r#"{ "list": [77.77] }"#, "hidden.list[0]: invalid type: floating point, expected a string"),
            (r#"{ "list": [true] }"#, "hidden.list[0]: invalid type: boolean, expected a string"),
            (r#"{ "list": [["s3cret"]] }"#, "hidden.list[0]: invalid type: sequence, expected a string"),
            (r#"{ "list": [{ "s3cret": 1 }] }"#, "hidden.list[0]: invalid type: map, expected a string"),
            (r#"{ "s3cret": [] }"#, "hidden: unknown field, expected list, number, header, kind"),
            (r#"{ "list": [], "number": 7777 }"#, "hidden.number: invalid value: integer, expected u8"),
            (r#"{ "list": [], "header": "x-a: s3\"cret" }"#, "hidden.header: \"…\" is not a header name"),
            (r#"{ "list": [], "kind": "s3cret" }"#, "hidden.kind: unknown variant, expected One, Other"),
            (r#"{ "list": [], "kind": { "s3cret": 1 } }"#, "hidden.kind: unknown variant, expected One, Other"),
            (r#"{ "list": [], "kind": { "Other": "s3cret" } }"#, "hidden.kind.Other: invalid type: string, expected u8"),
            ("{}", "hidden: missing field `list`"),
        ] {
            let error = inproxy::config::parse::<Settings>(format!(r#"{{ "hidden": {json} }}"#).as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{json}: {error}");
            assert!(!error.contains("s3") && !error.contains("cret") && !error.contains("77"), "{json}: {error}");
        }
    }

    #[test]
    fn what_is_right_is_read() {
        for json in [r#"{ "list": ["a"], "number": null, "kind": "One" }"#, r#"{ "list": [], "number": 1, "header": "x", "kind": { "Other": 1 } }"#] {
            inproxy::config::parse::<Settings>(format!(r#"{{ "hidden": {json} }}"#).as_bytes()).unwrap();
        }
    }
}
