use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::{attr::OnError, model::Filter};

pub(super) fn expand(filter: &Filter) -> TokenStream {
    let Filter { item, root_id, on_error, held, hooks, krate } = filter;
    let ident = &item.ident;
    let stamp = quote! {
        ::core::concat!("\u{1e}inproxy-filter\u{1f}", #root_id, "\u{1f}", ::core::module_path!(), "::", ::core::stringify!(#ident), "\u{1e}")
    };
    let allow = *on_error == OnError::Allow;
    // At the struct's name: that is where a missing impl is reported.
    let registration = if *hooks {
        quote_spanned!(ident.span()=> __inproxy::Registration::hooks::<#ident>(#stamp))
    } else {
        quote_spanned!(ident.span()=> __inproxy::Registration::http::<#ident, #allow, #held>(#stamp))
    };
    quote! {
        #item

        const _: () = {
            use #krate::__private as __inproxy;
            __inproxy::inventory::submit! { #registration }

            impl __inproxy::Registered for #ident {
                const ROOT_ID: &'static str = #root_id;
                const MANIFEST_DIR: &'static str = ::core::env!("CARGO_MANIFEST_DIR");
            }
        };
    }
}
