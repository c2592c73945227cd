use proc_macro2::TokenStream;
use syn::{Expr, ExprLit, Ident, Lit, LitStr, Meta, Path, Token, punctuated::Punctuated};

use crate::{errors::Errors, options::options};

/// The attribute by which a plugin is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attribute {
    Filter,
    AccessLogger,
    Service,
}

/// What stands in the parentheses of such an attribute.
#[derive(Default)]
pub(super) struct Options {
    pub(super) root_id: Option<LitStr>,
    pub(super) on_error: Option<OnError>,
    pub(super) network: Option<Path>,
    pub(super) held: Option<Path>,
    pub(super) waits: Option<Path>,
    pub(super) async_configure: Option<Path>,
    pub(super) hooks: Option<Hooks>,
    pub(super) krate: Option<Path>,
}

/// `hooks`, or `hooks(request_headers, …)`.
pub(super) struct Hooks {
    pub(super) path: Path,
    /// The callbacks that it has; all if none are named.
    pub(super) declared: Option<Vec<Ident>>,
}

/// The callbacks of an HTTP filter that can be declared.
pub(super) const CALLBACKS: &[&str] =
    &["request_headers", "request_body", "request_trailers", "response_headers", "response_body", "response_trailers", "call_response", "log"];

/// And those of a network filter.
pub(super) const NETWORK_CALLBACKS: &[&str] =
    &["new_connection", "downstream_data", "upstream_data", "upstream_close", "downstream_close", "call_response", "log"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnError {
    Deny,
    Allow,
}

// === impl Attribute ===

impl Attribute {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::AccessLogger => "access_logger",
            Self::Service => "service",
        }
    }

    /// The one of this name.
    pub(super) fn named(name: &Ident) -> Option<Self> {
        [Self::Filter, Self::AccessLogger, Self::Service].into_iter().find(|one| name == one.name())
    }

    /// What it makes of a struct.
    pub(super) const fn article(self) -> &'static str {
        match self {
            Self::Filter => "a filter",
            Self::AccessLogger => "an access logger",
            Self::Service => "a service",
        }
    }

    /// Where a function goes that somebody put it on.
    pub(super) const fn function(self) -> &'static str {
        match self {
            Self::Filter => "`handle` in `impl HttpFilter for …`",
            Self::AccessLogger => "`log` in `impl AccessLogger for …`",
            Self::Service => "`run` in `impl Service for …`",
        }
    }

    const fn options(self) -> &'static str {
        match self {
            Self::Filter => {
                "the options are: network, root_id = \"…\", on_error = deny or allow, held, waits, async_configure, hooks or hooks(…), crate = \"…\""
            }
            Self::AccessLogger | Self::Service => "the options are: root_id = \"…\", crate = \"…\"",
        }
    }

    fn has(self, option: &str) -> bool {
        self == Self::Filter || matches!(option, "root_id" | "crate")
    }
}

// === impl Options ===

impl Options {
    pub(super) fn parse(attribute: Attribute, tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut parsed = Self::default();
        for meta in options(tokens, attribute.options(), errors) {
            parsed.read(attribute, &meta, errors);
        }
        parsed
    }

    fn read(&mut self, attribute: Attribute, meta: &Meta, errors: &mut Errors) {
        let name = meta.path().get_ident().map(ToString::to_string).filter(|name| attribute.has(name)).unwrap_or_default();
        let doubled = match name.as_str() {
            "root_id" => set(&mut self.root_id, text(meta, "root_id = \"my_filter\"", errors)),
            "on_error" => set(&mut self.on_error, on_error(meta, errors)),
            "network" => set(&mut self.network, word(meta, errors)),
            "held" => set(&mut self.held, word(meta, errors)),
            "waits" => set(&mut self.waits, word(meta, errors)),
            "async_configure" => set(&mut self.async_configure, word(meta, errors)),
            "hooks" => set(&mut self.hooks, hooks(meta, errors)),
            "crate" => set(&mut self.krate, path(meta, errors)),
            _ => {
                errors.at(meta.path(), format!("`#[{}]` has no such option; {}", attribute.name(), attribute.options()));
                false
            }
        };
        if doubled {
            errors.at(meta, format!("`{name}` is given twice; keep one"));
        }
    }
}

/// Whether it was set before.
fn set<T>(option: &mut Option<T>, value: Option<T>) -> bool {
    let doubled = option.is_some();
    *option = value.or(option.take());
    doubled
}

fn word(meta: &Meta, errors: &mut Errors) -> Option<Path> {
    match meta {
        Meta::Path(path) => Some(path.clone()),
        other => {
            errors.at(other, "this option takes no value: write its name only");
            None
        }
    }
}

/// What `hooks` can be.
pub(super) fn expected(callbacks: &[&str]) -> String {
    let first = callbacks.first().copied().unwrap_or_default();
    format!("write `hooks`, or the callbacks that it has: `hooks({first}, log)`; they are {}", callbacks.join(", "))
}

fn hooks(meta: &Meta, errors: &mut Errors) -> Option<Hooks> {
    let expected = || expected(CALLBACKS);
    match meta {
        Meta::Path(path) => Some(Hooks { path: path.clone(), declared: None }),
        Meta::List(list) => match list.parse_args_with(Punctuated::<Ident, Token![,]>::parse_terminated) {
            Ok(declared) if !declared.is_empty() => Some(Hooks { path: list.path.clone(), declared: Some(declared.into_iter().collect()) }),
            _ => {
                errors.at(meta, expected());
                None
            }
        },
        Meta::NameValue(_) => {
            errors.at(meta, expected());
            None
        }
    }
}

fn text(meta: &Meta, example: &str, errors: &mut Errors) -> Option<LitStr> {
    if let Meta::NameValue(pair) = meta
        && let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &pair.value
    {
        return Some(text.clone());
    }
    errors.at(meta, format!("this option takes a string: `{example}`"));
    None
}

fn path(meta: &Meta, errors: &mut Errors) -> Option<Path> {
    text(meta, "crate = \"my_reexport::inproxy\"", errors).and_then(|text| text.parse().map_err(|error| errors.push(error)).ok())
}

fn on_error(meta: &Meta, errors: &mut Errors) -> Option<OnError> {
    if let Meta::NameValue(pair) = meta
        && let Expr::Path(value) = &pair.value
    {
        if value.path.is_ident("deny") {
            return Some(OnError::Deny);
        }
        if value.path.is_ident("allow") {
            return Some(OnError::Allow);
        }
    }
    errors.at(meta, "write `on_error = deny` or `on_error = allow`, without quotes");
    None
}
