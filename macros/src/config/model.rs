use proc_macro2::TokenStream;
use syn::{Attribute, Data, DeriveInput, Fields, Path, Token, punctuated::Punctuated};

use super::attr::Options;
use crate::{errors::Errors, krate};

/// A type to read from the configuration.
pub(super) struct Config {
    pub(super) item: DeriveInput,
    pub(super) how: How,
    pub(super) deny_unknown_fields: bool,
    /// Whether it has a JSON Schema.
    pub(super) schema: bool,
    pub(super) krate: Path,
}

/// How it gets its `Deserialize`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// By serde's derive.
    Derive,
    /// As an object without fields: serde reads a unit struct from `null` only.
    Unit,
    /// It has one: a mistake that is reported, and not to be made worse.
    Already,
}

// === impl Config ===

impl Config {
    pub(super) fn try_new(options: TokenStream, item: TokenStream, errors: &mut Errors) -> Option<Self> {
        let options = Options::parse(options, errors);
        let item: DeriveInput = match syn::parse2(item) {
            Ok(item) => item,
            Err(error) => {
                errors.push(syn::Error::new(error.span(), "`#[config]` goes on a struct or an enum"));
                return None;
            }
        };
        if let Data::Union(item) = &item.data {
            errors.at(item.union_token, "`#[config]` goes on a struct or an enum, not on a union");
            return None;
        }
        if let Some(lifetime) = item.generics.lifetimes().next() {
            errors.at(lifetime, "a configuration outlives the text it was read from: use owned types, such as `String`");
            return None;
        }
        let derived = item.attrs.iter().find(|attr| derives_deserialize(attr));
        if let Some(derive) = derived {
            errors.at(derive, "`#[config]` derives `Deserialize` itself: remove it here");
        }
        let how = match (&item.data, derived) {
            (_, Some(_)) => How::Already,
            (Data::Struct(data), None) if matches!(data.fields, Fields::Unit) => How::Unit,
            _ => How::Derive,
        };
        let denies = item.attrs.iter().any(|attr| mentions(attr, "serde", "deny_unknown_fields"));
        Some(Self {
            how,
            schema: options.schema && how != How::Already,
            deny_unknown_fields: !options.allow_unknown_fields && !denies,
            krate: options.krate.unwrap_or_else(krate::path),
            item,
        })
    }
}

fn derives_deserialize(attr: &Attribute) -> bool {
    mentions(attr, "derive", "Deserialize")
}

/// Whether `attr` is `#[name(…)]` with a path that ends in `word` among what is in the parentheses.
fn mentions(attr: &Attribute, name: &str, word: &str) -> bool {
    attr.path().is_ident(name)
        && attr
            .parse_args_with(Punctuated::<syn::Meta, Token![,]>::parse_terminated)
            .is_ok_and(|metas| metas.iter().any(|meta| meta.path().segments.last().is_some_and(|segment| segment.ident == word)))
}
