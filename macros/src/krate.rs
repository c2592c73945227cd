use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::Span;
use syn::{Ident, Path, parse_quote};

/// The path of the `inproxy` crate in the crate that is being compiled, which may have renamed it.
pub(crate) fn path() -> Path {
    match crate_name("inproxy") {
        Ok(FoundCrate::Name(name)) => {
            let name = Ident::new(&name, Span::call_site());
            parse_quote!(::#name)
        }
        // Its own doc tests and examples; or a build without a Cargo.toml, whose error will name the crate.
        Ok(FoundCrate::Itself) | Err(_) => parse_quote!(::inproxy),
    }
}
