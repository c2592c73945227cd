use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use super::{
    attr::OnError,
    model::{Kind, Plugin},
};

pub(super) fn expand(plugin: &Plugin) -> TokenStream {
    let Plugin { item, root_id, kind, krate } = plugin;
    let ident = &item.ident;
    let (kind_name, variant) = kind.name();
    let variant = syn::Ident::new(variant, Span::call_site());
    let stamp = quote! {
        __inproxy::Stamp {
            text: ::core::concat!("\u{1e}inproxy-filter\u{1f}", #root_id, "\u{1f}", ::core::module_path!(), "::", ::core::stringify!(#ident), "\u{1f}", #kind_name, "\u{1e}"),
            root_id: #root_id,
            name: ::core::concat!(::core::module_path!(), "::", ::core::stringify!(#ident)),
        }
    };
    let make = make(kind, ident);
    let declared = match kind {
        Kind::HttpHooks(hooks) | Kind::NetworkHooks(hooks) => {
            let needs = hooks.iter().fold(String::from("\u{1e}inproxy-needs"), |needs, hook| needs + "\u{1f}" + export(hook)) + "\u{1e}";
            quote! {
                impl __inproxy::Declared for #ident {
                    const NEEDS: &'static str = #needs;
                }
            }
        }
        _ => TokenStream::new(),
    };
    // At the struct's name: that is where a missing impl is reported.
    let registration = quote_spanned!(ident.span()=> __inproxy::Registration::#make(#stamp));
    quote! {
        #item

        const _: () = {
            use #krate::__private as __inproxy;
            __inproxy::inventory::submit! { #registration }

            #declared

            impl __inproxy::Registered for #ident {
                const ROOT_ID: &'static str = #root_id;
                const MANIFEST_DIR: &'static str = ::core::env!("CARGO_MANIFEST_DIR");
                const KIND: __inproxy::Kind = __inproxy::Kind::#variant;
            }
        };
    }
}

/// The function of `Registration`.
fn make(kind: &Kind, ident: &syn::Ident) -> TokenStream {
    match kind {
        Kind::Http { on_error, held, waits, async_configure } => {
            let allow = *on_error == OnError::Allow;
            let make = if *async_configure { quote!(http_async) } else { quote!(http) };
            quote_spanned!(ident.span()=> #make::<#ident, #allow, #held, #waits>)
        }
        Kind::HttpHooks(hooks) => {
            let has = |name: &str| hooks.iter().any(|hook| hook == name);
            let (request, response) = (has("request_body"), has("response_body"));
            quote_spanned!(ident.span()=> hooks::<#ident, #request, #response>)
        }
        Kind::Network { on_error } => {
            let allow = *on_error == OnError::Allow;
            quote_spanned!(ident.span()=> network::<#ident, #allow>)
        }
        Kind::NetworkHooks(_) => quote_spanned!(ident.span()=> network_hooks::<#ident>),
        Kind::AccessLogger => quote_spanned!(ident.span()=> access_logger::<#ident>),
        Kind::Service => quote_spanned!(ident.span()=> service::<#ident>),
    }
}

/// A callback's name in the ABI, without `proxy_on_`.
fn export(hook: &str) -> &str {
    match hook {
        "call_response" => "http_call_response",
        "downstream_close" => "downstream_connection_close",
        "upstream_close" => "upstream_connection_close",
        other => other,
    }
}

// === impl Kind ===

impl Kind {
    /// Its name in the module's stamp, and as a variant of `hooks::Kind`.
    const fn name(&self) -> (&'static str, &'static str) {
        match self {
            Self::Http { .. } | Self::HttpHooks(_) => ("http", "Http"),
            Self::Network { .. } | Self::NetworkHooks(_) => ("network", "Network"),
            Self::AccessLogger => ("access_logger", "AccessLogger"),
            Self::Service => ("service", "Service"),
        }
    }
}
