use proc_macro2::TokenStream;
use syn::{Expr, ExprLit, Lit, Meta, Path};

use crate::{errors::Errors, options::options};

const OPTIONS: &str = "the options are: allow_unknown_fields, schema, crate = \"…\"";

const NO_SCHEMA: &str =
    "`#[config(schema)]` needs the feature `schema` of inproxy: `inproxy = { …, features = [\"schema\"] }` in Cargo.toml; modules stay as they are";

/// What stands in the parentheses of `#[config(…)]`.
#[derive(Default)]
pub(super) struct Options {
    pub(super) allow_unknown_fields: bool,
    pub(super) schema: bool,
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
            Meta::Path(path) if path.is_ident("schema") => {
                self.schema = cfg!(feature = "schema");
                if !self.schema {
                    errors.at(path, NO_SCHEMA);
                }
            }
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
