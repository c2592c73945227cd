//! `#[filter]`, `#[access_logger]` and `#[service]`: what registers a struct as a plugin of the module.

mod attr;
mod expand;
mod model;

use proc_macro2::TokenStream;

pub(crate) use self::attr::Attribute;
use self::model::Plugin;
use crate::errors::Errors;

pub(crate) fn plugin(attribute: Attribute, options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let plugin = Plugin::try_new(attribute, options, item.clone(), &mut errors);
    match (errors.into_code(), plugin) {
        // The item stays as it is: one mistake, one error.
        (Some(errors), _) => {
            let mut code = item;
            code.extend(errors);
            code
        }
        (None, Some(plugin)) => expand::expand(&plugin),
        (None, None) => item,
    }
}
