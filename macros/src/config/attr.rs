use proc_macro2::TokenStream;
use syn::{Expr, ExprLit, Lit, Meta, Path};

use crate::{errors::Errors, options::options};

const OPTIONS: &str = "the options are: allow_unknown_fields, crate = \"…\"";

/// What stands in the parentheses of `#[config(…)]`.
#[derive(Default)]
pub(super) struct Options {
    pub(super) allow_unknown_fields: bool,
    pub(super) krate: Option<Path>,
}

// === impl Options ===

impl Options {
    pub(super) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut parsed = Self::default();
        for meta in options(tokens, OPTIONS, errors) {
            parsed.read(&meta, errors);
        }
        parsed
    }

    fn read(&mut self, meta: &Meta, errors: &mut Errors) {
        match meta {
            Meta::Path(path) if path.is_ident("allow_unknown_fields") => self.allow_unknown_fields = true,
            Meta::NameValue(pair) if pair.path.is_ident("crate") => match &pair.value {
                Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => match text.parse() {
                    Ok(path) => self.krate = Some(path),
                    Err(error) => errors.push(error),
                },
                other => errors.at(other, "this option takes a string: `crate = \"my_reexport::inproxy\"`"),
            },
            other => errors.at(other, format!("`#[config]` has no such option; {OPTIONS}")),
        }
    }
}
