use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use super::model::{Config, How};

pub(super) fn expand(config: &Config) -> TokenStream {
    let Config { item, how, deny_unknown_fields, krate } = config;
    let ident = &item.ident;
    let (parameters, arguments, bounds) = item.generics.split_for_impl();
    let bounds = bounds.map(|bounds| &bounds.predicates);
    let private = quote!(#krate::__private);
    let serde = quote!(#private::serde).into_token_stream().to_string().replace(' ', "");
    let deny = deny_unknown_fields.then(|| quote!(, deny_unknown_fields));
    let item = match how {
        How::Derive => quote! {
            #[derive(#private::serde::Deserialize)]
            #[serde(crate = #serde #deny)]
            #item
        },
        How::Unit => quote! {
            #item

            const _: () = {
                #[derive(#private::serde::Deserialize)]
                #[serde(crate = #serde #deny)]
                struct Empty {}

                impl<'de> #private::serde::Deserialize<'de> for #ident {
                    fn deserialize<D: #private::serde::Deserializer<'de>>(deserializer: D) -> ::core::result::Result<Self, D::Error> {
                        <Empty as #private::serde::Deserialize<'de>>::deserialize(deserializer).map(|_| Self)
                    }
                }
            };
        },
        How::Already => quote!(#item),
    };
    quote! {
        #item

        const _: () = {
            impl #parameters #private::Config for #ident #arguments where Self: #private::serde::de::DeserializeOwned, #bounds {}
        };
    }
}
