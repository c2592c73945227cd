//! The attribute of [`inproxy-test`](https://docs.rs/inproxy-test), which re-exports it: use it from there.

use proc_macro::TokenStream;
use quote::{format_ident, quote};
use syn::{Expr, FnArg, Ident, ItemFn, Lit, Meta, ReturnType, Token, parse::Parser, punctuated::Punctuated, spanned::Spanned};

const HOSTS: [&str; 3] = ["native", "wasm", "envoy"];

/// Makes one test for each host of an async function that takes a `Proxy`.
///
/// `#[inproxy_test::test(only(native, wasm), because = "…")]` names the hosts that a case is for, and why.
#[proc_macro_attribute]
pub fn test(options: TokenStream, item: TokenStream) -> TokenStream {
    expand(options, item).unwrap_or_else(|error| error.to_compile_error()).into()
}

fn expand(options: TokenStream, item: TokenStream) -> syn::Result<proc_macro2::TokenStream> {
    let hosts = hosts(options)?;
    let mut function: ItemFn = syn::parse(item)?;
    let signature = &function.sig;
    if signature.asyncness.is_none() {
        return Err(syn::Error::new(signature.fn_token.span(), "a test of a filter is an async function: write `async fn`"));
    }
    let expected = "a test of a filter takes one argument, the proxy to describe: `proxy: Proxy<MyFilter>`";
    let mut inputs = signature.inputs.iter();
    let (Some(FnArg::Typed(argument)), None) = (inputs.next(), inputs.next()) else {
        return Err(syn::Error::new(signature.ident.span(), expected));
    };
    if !matches!(signature.output, ReturnType::Default) {
        return Err(syn::Error::new(signature.output.span(), "a test of a filter returns nothing: use `unwrap` or `assert!`"));
    }
    let name = signature.ident.clone();
    let proxy = (*argument.ty).clone();
    let attributes = std::mem::take(&mut function.attrs);
    function.sig.ident = format_ident!("case");
    let tests = hosts.iter().map(|host| {
        let variant = format_ident!("{}{}", host.to_string()[..1].to_uppercase(), &host.to_string()[1..]);
        quote! {
            #[::core::prelude::v1::test]
            #(#attributes)*
            fn #host() {
                ::inproxy_test::__private::run(
                    ::inproxy_test::HostKind::#variant,
                    ::core::concat!(::core::module_path!(), "::", ::core::stringify!(#host)),
                    |name| async move { case(<#proxy>::on(::inproxy_test::HostKind::#variant, name)).await },
                );
            }
        }
    });
    Ok(quote! {
        mod #name {
            use super::*;

            #function

            #(#tests)*
        }
    })
}

fn hosts(options: TokenStream) -> syn::Result<Vec<Ident>> {
    let all = || HOSTS.iter().map(|host| format_ident!("{host}")).collect();
    let metas = Punctuated::<Meta, Token![,]>::parse_terminated.parse(options)?;
    let (mut only, mut because) = (None, None);
    for meta in metas {
        match &meta {
            Meta::List(list) if list.path.is_ident("only") => {
                let names = list.parse_args_with(Punctuated::<Ident, Token![,]>::parse_terminated)?;
                if let Some(unknown) = names.iter().find(|name| !HOSTS.contains(&name.to_string().as_str())) {
                    return Err(syn::Error::new(unknown.span(), "the hosts are native, wasm and envoy"));
                }
                only = Some((names.into_iter().collect(), meta.span()));
            }
            Meta::NameValue(pair) if pair.path.is_ident("because") => match &pair.value {
                Expr::Lit(literal) if matches!(&literal.lit, Lit::Str(text) if !text.value().is_empty()) => because = Some(()),
                other => return Err(syn::Error::new(other.span(), "say why in a string")),
            },
            other => return Err(syn::Error::new(other.span(), "the options are: only(native, wasm, envoy), because = \"…\"")),
        }
    }
    match (only, because) {
        (None, _) => Ok(all()),
        (Some((hosts, _)), Some(())) => Ok(hosts),
        (Some((_, span)), None) => Err(syn::Error::new(span, "a case that is not for all hosts says why: `because = \"…\"`")),
    }
}
