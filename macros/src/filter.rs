//! `#[filter]`.

mod attr;
mod expand;
mod model;

use proc_macro2::TokenStream;

use self::model::Filter;
use crate::errors::Errors;

pub(crate) fn filter(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let filter = Filter::try_new(options, item.clone(), &mut errors);
    match (errors.into_code(), filter) {
        // The item stays as it is: one mistake, one error.
        (Some(errors), _) => {
            let mut code = item;
            code.extend(errors);
            code
        }
        (None, Some(filter)) => expand::expand(&filter),
        (None, None) => item,
    }
}
