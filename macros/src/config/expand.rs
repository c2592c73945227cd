use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use super::{
    model::{Config, How},
    schema,
};

pub(super) fn expand(config: &Config) -> TokenStream {
    let Config { item, how, deny_unknown_fields, schema, krate } = config;
    let ident = &item.ident;
    let (parameters, arguments, bounds) = item.generics.split_for_impl();
    let bounds = bounds.map(|bounds| &bounds.predicates);
    let private = quote!(#krate::__private);
    let serde = quote!(#private::serde).into_token_stream().to_string().replace(' ', "");
    let deny = deny_unknown_fields.then(|| quote!(, deny_unknown_fields));
    let (item, derive) = if *schema { (schema::attributes(item.clone()), Some(schema::derive(&private))) } else { (item.clone(), None) };
    let item = match how {
        How::Derive => quote! {
            #[derive(#private::serde::Deserialize)]
            #[serde(crate = #serde #deny)]
            #derive
            #item
        },
        How::Unit => {
            let schema = schema.then(|| schema::of_unit(&item, &private));
            quote! {
                #item

                const _: () = {
                    #[derive(#private::serde::Deserialize)]
                    #[serde(crate = #serde #deny)]
                    #derive
                    struct Empty {}

                    #schema

                    impl<'de> #private::serde::Deserialize<'de> for #ident {
                        fn deserialize<D: #private::serde::Deserializer<'de>>(deserializer: D) -> ::core::result::Result<Self, D::Error> {
                            <Empty as #private::serde::Deserialize<'de>>::deserialize(deserializer).map(|_| Self)
                        }
                    }
                };
            }
        }
        How::Already => quote!(#item),
    };
    quote! {
        #item

        const _: () = {
            impl #parameters #private::Config for #ident #arguments where Self: #private::serde::de::DeserializeOwned, #bounds {}
        };
    }
}
