use proc_macro2::TokenStream;
use syn::{Ident, Item, ItemStruct, Path, spanned::Spanned};

use super::attr::{CALLBACKS, OnError, Options};
use crate::{errors::Errors, krate};

/// A filter to register.
pub(super) struct Filter {
    pub(super) item: ItemStruct,
    pub(super) root_id: String,
    pub(super) on_error: OnError,
    pub(super) held: bool,
    pub(super) waits: bool,
    /// It implements `ConfigureAsync`, and not `Configure`.
    pub(super) async_configure: bool,
    /// The callbacks of a filter that has hooks.
    pub(super) hooks: Option<Vec<String>>,
    pub(super) krate: Path,
}

// === impl Filter ===

impl Filter {
    pub(super) fn try_new(options: TokenStream, item: TokenStream, errors: &mut Errors) -> Option<Self> {
        let options = Options::parse(options, errors);
        if let (Some(hooks), Some(_)) = (&options.hooks, &options.held) {
            errors.at(&hooks.path, "`held` is for filters that implement `HttpFilter`; remove it, or `hooks`");
        }
        if let (Some(hooks), Some(_)) = (&options.hooks, options.on_error) {
            errors.at(&hooks.path, "`on_error` is for filters that implement `HttpFilter`, whose `handle` returns errors; remove it, or `hooks`");
        }
        if let (Some(hooks), Some(_)) = (&options.hooks, &options.waits) {
            errors
                .at(&hooks.path, "`waits` is for filters that implement `HttpFilter`; name the callbacks for bodies in `hooks(…)`, if there are any");
        }
        if let (Some(hooks), Some(_)) = (&options.hooks, &options.async_configure) {
            errors.at(
                &hooks.path,
                "`async_configure` is for filters that implement `HttpFilter`, whose requests can wait for it; remove it, or `hooks`",
            );
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
            waits: options.waits.is_some(),
            async_configure: options.async_configure.is_some(),
            hooks: options.hooks.map(|hooks| callbacks(hooks.declared)),
            krate: options.krate.unwrap_or_else(krate::path),
            item,
        })
    }
}

/// The callbacks that were declared, and those that go with them: a body may be followed by trailers, and both are held with their headers.
fn callbacks(declared: Option<Vec<Ident>>) -> Vec<String> {
    let declared: Vec<_> = match declared {
        Some(declared) => declared.iter().map(ToString::to_string).collect(),
        None => CALLBACKS.map(str::to_owned).into(),
    };
    let has = |name: &str| declared.iter().any(|other| other == name);
    let implied = |name: &str| match name {
        "request_trailers" => has("request_body"),
        "response_trailers" => has("response_body"),
        _ => false,
    };
    CALLBACKS.into_iter().filter(|name| has(name) || implied(name)).map(str::to_owned).collect()
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
