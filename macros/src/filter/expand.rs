use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::{attr::OnError, model::Filter};

pub(super) fn expand(filter: &Filter) -> TokenStream {
    let Filter { item, root_id, on_error, held, waits, async_configure, hooks, krate } = filter;
    let ident = &item.ident;
    let stamp = quote! {
        __inproxy::Stamp {
            text: ::core::concat!("\u{1e}inproxy-filter\u{1f}", #root_id, "\u{1f}", ::core::module_path!(), "::", ::core::stringify!(#ident), "\u{1e}"),
            root_id: #root_id,
            name: ::core::concat!(::core::module_path!(), "::", ::core::stringify!(#ident)),
        }
    };
    let allow = *on_error == OnError::Allow;
    // At the struct's name: that is where a missing impl is reported.
    let (registration, declared) = if let Some(hooks) = hooks {
        let has = |name: &str| hooks.iter().any(|hook| hook == name);
        let (request, response) = (has("request_body"), has("response_body"));
        let needs = hooks.iter().fold(String::from("\u{1e}inproxy-needs"), |needs, hook| needs + "\u{1f}" + export(hook)) + "\u{1e}";
        let declared = quote! {
            impl __inproxy::Declared for #ident {
                const NEEDS: &'static str = #needs;
            }
        };
        (quote_spanned!(ident.span()=> __inproxy::Registration::hooks::<#ident, #request, #response>(#stamp)), declared)
    } else {
        let make = if *async_configure { quote!(http_async) } else { quote!(http) };
        (quote_spanned!(ident.span()=> __inproxy::Registration::#make::<#ident, #allow, #held, #waits>(#stamp)), TokenStream::new())
    };
    quote! {
        #item

        const _: () = {
            use #krate::__private as __inproxy;
            __inproxy::inventory::submit! { #registration }

            #declared

            impl __inproxy::Registered for #ident {
                const ROOT_ID: &'static str = #root_id;
                const MANIFEST_DIR: &'static str = ::core::env!("CARGO_MANIFEST_DIR");
            }
        };
    }
}

/// A callback's name in the ABI, without `proxy_on_`.
fn export(hook: &str) -> &str {
    match hook {
        "call_response" => "http_call_response",
        other => other,
    }
}
