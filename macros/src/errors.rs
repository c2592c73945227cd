use std::fmt::Display;

use proc_macro2::TokenStream;
use quote::ToTokens;

/// Collects all mistakes, so that one compilation tells them all.
#[derive(Debug, Default)]
pub(crate) struct Errors(Option<syn::Error>);

// === impl Errors ===

impl Errors {
    /// A mistake, shown at these tokens.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(first) => first.combine(error),
            none => *none = Some(error),
        }
    }

    /// The code that reports them; `None` if there are none.
    pub(crate) fn into_code(self) -> Option<TokenStream> {
        self.0.map(|error| error.to_compile_error())
    }
}
