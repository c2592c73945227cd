use proc_macro2::TokenStream;
use syn::{Meta, Token, parse::Parser, punctuated::Punctuated};

use crate::errors::Errors;

/// What stands in the parentheses of an attribute, one by one; `known` says what may stand there.
pub(crate) fn options(tokens: TokenStream, known: &str, errors: &mut Errors) -> impl Iterator<Item = Meta> + use<> {
    let metas = Punctuated::<Meta, Token![,]>::parse_terminated.parse2(tokens).unwrap_or_else(|error| {
        errors.push(syn::Error::new(error.span(), format!("{error}; {known}")));
        Punctuated::new()
    });
    metas.into_iter()
}
