use proc_macro2::TokenStream;
use syn::{Ident, Item, ItemStruct, Path, spanned::Spanned};

use super::attr::{OnError, Options};
use crate::{errors::Errors, krate};

/// A filter to register.
pub(super) struct Filter {
    pub(super) item: ItemStruct,
    pub(super) root_id: String,
    pub(super) on_error: OnError,
    pub(super) held: bool,
    pub(super) hooks: bool,
    pub(super) krate: Path,
}

// === impl Filter ===

impl Filter {
    pub(super) fn try_new(options: TokenStream, item: TokenStream, errors: &mut Errors) -> Option<Self> {
        let options = Options::parse(options, errors);
        if let (Some(hooks), Some(_)) = (&options.hooks, &options.held) {
            errors.at(hooks, "`held` is for filters that implement `HttpFilter`; remove it, or `hooks`");
        }
        if let (Some(hooks), Some(_)) = (&options.hooks, options.on_error) {
            errors.at(hooks, "`on_error` is for filters that implement `HttpFilter`, whose `handle` returns errors; remove it, or `hooks`");
        }
        if let Some(root_id) = options.root_id.as_ref().filter(|root_id| root_id.value().is_empty()) {
            errors.at(root_id, "a root id must not be empty");
        }
        let item = structure(item, errors)?;
        if item.attrs.iter().any(|attr| attr.path().segments.last().is_some_and(|segment| segment.ident == "filter")) {
            errors.at(&item.ident, "this struct has two `#[filter]` attributes; keep one");
        }
        if !item.generics.params.is_empty() {
            errors
                .at(&item.generics, "a filter cannot be generic: the proxy makes it from a configuration, without naming types; use concrete types");
        }
        Some(Self {
            root_id: options.root_id.map_or_else(|| snake_case(&item.ident), |root_id| root_id.value()),
            on_error: options.on_error.unwrap_or(OnError::Deny),
            held: options.held.is_some(),
            hooks: options.hooks.is_some(),
            krate: options.krate.unwrap_or_else(krate::path),
            item,
        })
    }
}

fn structure(item: TokenStream, errors: &mut Errors) -> Option<ItemStruct> {
    let what = match syn::parse2(item) {
        Ok(Item::Struct(item)) => return Some(item),
        Ok(Item::Enum(item)) => (item.enum_token.span(), "an enum: put it into a field of a struct"),
        Ok(Item::Fn(item)) => (item.sig.fn_token.span(), "a function: write a struct, and the function as `handle` in `impl HttpFilter for …`"),
        Ok(Item::Impl(item)) => (item.impl_token.span(), "an impl block: put it on the struct that the block is for"),
        Ok(Item::Trait(item)) => (item.trait_token.span(), "a trait: put it on a struct that implements `HttpFilter`"),
        Ok(other) => (other.span(), "this item"),
        Err(error) => {
            errors.push(error);
            return None;
        }
    };
    errors.push(syn::Error::new(what.0, format!("`#[filter]` goes on a struct, not on {}", what.1)));
    None
}

fn snake_case(ident: &Ident) -> String {
    let name = ident.to_string();
    let name = name.trim_start_matches("r#");
    let mut out = String::new();
    let mut previous = None::<char>;
    let mut letters = name.chars().peekable();
    while let Some(letter) = letters.next() {
        let after_word = previous.is_some_and(|previous| previous.is_lowercase() || previous.is_ascii_digit());
        let before_word = previous.is_some_and(char::is_uppercase) && letters.peek().is_some_and(|next| next.is_lowercase());
        if letter.is_uppercase() && (after_word || before_word) {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
        previous = Some(letter);
    }
    out
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use super::*;

    #[test]
    fn a_root_id_is_the_name_in_snake_case() {
        for (name, root_id) in
            [("Auth", "auth"), ("ApiKey", "api_key"), ("JWTAuth", "jwt_auth"), ("Http2Only", "http2_only"), ("X", "x"), ("rate_limit", "rate_limit")]
        {
            assert_eq!(snake_case(&Ident::new(name, Span::call_site())), root_id);
        }
    }
}
