use proc_macro2::TokenStream;
use syn::{Ident, Item, ItemStruct, Path, spanned::Spanned};

use super::attr::{Attribute, CALLBACKS, NETWORK_CALLBACKS, OnError, Options, expected};
use crate::{errors::Errors, krate};

/// A plugin to register.
pub(super) struct Plugin {
    pub(super) item: ItemStruct,
    pub(super) root_id: String,
    pub(super) kind: Kind,
    pub(super) krate: Path,
}

/// What it implements.
pub(super) enum Kind {
    /// `HttpFilter`.
    Http {
        on_error: OnError,
        held: bool,
        waits: bool,
        /// It implements `ConfigureAsync`, and not `Configure`.
        async_configure: bool,
    },
    /// `HttpHooks`, with these callbacks.
    HttpHooks(Vec<String>),
    /// `NetworkFilter`.
    Network {
        on_error: OnError,
    },
    /// `NetworkHooks`, with these callbacks.
    NetworkHooks(Vec<String>),
    AccessLogger,
    Service,
}

// === impl Plugin ===

impl Plugin {
    pub(super) fn try_new(attribute: Attribute, options: TokenStream, item: TokenStream, errors: &mut Errors) -> Option<Self> {
        let options = Options::parse(attribute, options, errors);
        let known = if options.network.is_some() { NETWORK_CALLBACKS } else { CALLBACKS };
        for unknown in options.hooks.iter().flat_map(|hooks| hooks.declared.iter().flatten()).filter(|name| !known.iter().any(|known| *name == known))
        {
            errors.at(unknown, expected(known));
        }
        if options.network.is_some() {
            if let Some(held) = &options.held {
                errors.at(held, "`held` is for HTTP filters: a connection has no headers that could be held; remove it");
            }
            if let Some(waits) = &options.waits {
                errors.at(
                    waits,
                    "`waits` is for HTTP filters, which can hold a response: what a server sends on a connection cannot be held; remove it",
                );
            }
            if let Some(path) = &options.async_configure {
                errors.at(path, "`async_configure` is for HTTP filters: implement `Configure`, and spawn what takes time with `Plugin::spawn`");
            }
        }
        let of_requests = options.network.is_none();
        if let (Some(hooks), Some(_), true) = (&options.hooks, &options.held, of_requests) {
            errors.at(&hooks.path, "`held` is for filters that implement `HttpFilter`; remove it, or `hooks`");
        }
        if let (Some(hooks), Some(_)) = (&options.hooks, options.on_error) {
            let name = if of_requests { "HttpFilter" } else { "NetworkFilter" };
            errors
                .at(&hooks.path, format!("`on_error` is for filters that implement `{name}`, whose `handle` returns errors; remove it, or `hooks`"));
        }
        if let (Some(hooks), Some(_), true) = (&options.hooks, &options.waits, of_requests) {
            errors
                .at(&hooks.path, "`waits` is for filters that implement `HttpFilter`; name the callbacks for bodies in `hooks(…)`, if there are any");
        }
        if let (Some(hooks), Some(_), true) = (&options.hooks, &options.async_configure, of_requests) {
            errors.at(
                &hooks.path,
                "`async_configure` is for filters that implement `HttpFilter`, whose requests can wait for it; remove it, or `hooks`",
            );
        }
        if let Some(root_id) = options.root_id.as_ref().filter(|root_id| root_id.value().is_empty()) {
            errors.at(root_id, "a root id must not be empty");
        }
        let item = structure(attribute, item, errors)?;
        let doubled = item.attrs.iter().filter_map(|attr| attr.path().segments.last()).find_map(|segment| Attribute::named(&segment.ident));
        if let Some(other) = doubled {
            let (one, other) = (attribute.name(), other.name());
            if one == other {
                errors.at(&item.ident, format!("this struct has two `#[{one}]` attributes; keep one"));
            } else {
                errors.at(
                    &item.ident,
                    format!("this struct has `#[{one}]` and `#[{other}]`; make it two structs, since each is configured on its own"),
                );
            }
        }
        if !item.generics.params.is_empty() {
            errors.at(
                &item.generics,
                format!(
                    "{} cannot be generic: the proxy makes it from a configuration, without naming types; use concrete types",
                    attribute.article()
                ),
            );
        }
        let kind = match (attribute, options.hooks) {
            (Attribute::AccessLogger, _) => Kind::AccessLogger,
            (Attribute::Service, _) => Kind::Service,
            (Attribute::Filter, Some(hooks)) if of_requests => Kind::HttpHooks(callbacks(CALLBACKS, hooks.declared)),
            (Attribute::Filter, Some(hooks)) => Kind::NetworkHooks(callbacks(NETWORK_CALLBACKS, hooks.declared)),
            (Attribute::Filter, None) if !of_requests => Kind::Network { on_error: options.on_error.unwrap_or(OnError::Deny) },
            (Attribute::Filter, None) => Kind::Http {
                on_error: options.on_error.unwrap_or(OnError::Deny),
                held: options.held.is_some(),
                waits: options.waits.is_some(),
                async_configure: options.async_configure.is_some(),
            },
        };
        Some(Self {
            root_id: options.root_id.map_or_else(|| snake_case(&item.ident), |root_id| root_id.value()),
            kind,
            krate: options.krate.unwrap_or_else(krate::path),
            item,
        })
    }
}

/// The callbacks that were declared, and those that go with them: a body may be followed by trailers, and both are held with their headers.
fn callbacks(known: &[&str], declared: Option<Vec<Ident>>) -> Vec<String> {
    let declared: Vec<_> = match declared {
        Some(declared) => declared.iter().map(ToString::to_string).collect(),
        None => known.iter().map(|name| (*name).to_owned()).collect(),
    };
    let has = |name: &str| declared.iter().any(|other| other == name);
    let implied = |name: &str| match name {
        "request_trailers" => has("request_body"),
        "response_trailers" => has("response_body"),
        _ => false,
    };
    known.iter().filter(|name| has(name) || implied(name)).map(|name| (*name).to_owned()).collect()
}

fn structure(attribute: Attribute, item: TokenStream, errors: &mut Errors) -> Option<ItemStruct> {
    let what = match syn::parse2(item) {
        Ok(Item::Struct(item)) => return Some(item),
        Ok(Item::Enum(item)) => (item.enum_token.span(), "an enum: put it into a field of a struct"),
        Ok(Item::Fn(item)) => {
            errors.push(syn::Error::new(
                item.sig.fn_token.span(),
                format!(
                    "`#[{}]` goes on a struct, not on a function: write a struct, and the function as {}",
                    attribute.name(),
                    attribute.function()
                ),
            ));
            return None;
        }
        Ok(Item::Impl(item)) => (item.impl_token.span(), "an impl block: put it on the struct that the block is for"),
        Ok(Item::Trait(item)) => (item.trait_token.span(), "a trait: put it on a struct that implements one"),
        Ok(other) => (other.span(), "this item"),
        Err(error) => {
            errors.push(error);
            return None;
        }
    };
    errors.push(syn::Error::new(what.0, format!("`#[{}]` goes on a struct, not on {}", attribute.name(), what.1)));
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
