//! `#[config]`.

mod attr;
mod expand;
mod model;
mod schema;

use proc_macro2::TokenStream;

use self::model::Config;
use crate::errors::Errors;

pub(crate) fn config(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let config = Config::try_new(options, item.clone(), &mut errors);
    // With mistakes the type is still one that can be read, so that each gives one error.
    let mut code = config.as_ref().map_or(item, expand::expand);
    code.extend(errors.into_code());
    code
}
