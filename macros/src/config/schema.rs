//! `#[config(schema)]`: the JSON Schema, which no module has.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{
    Attribute, DeriveInput, Meta, parse_quote,
    visit_mut::{self, VisitMut},
};

/// Derives `JsonSchema`, which reads serde's attributes.
pub(super) fn derive(private: &TokenStream) -> TokenStream {
    let schemars = quote!(#private::schemars).into_token_stream().to_string().replace(' ', "");
    quote! {
        #[cfg_attr(not(target_family = "wasm"), derive(#private::schemars::JsonSchema), schemars(crate = #schemars))]
    }
}

/// The schema of a struct without fields: that of `Empty`, under its own name.
pub(super) fn of_unit(item: &DeriveInput, private: &TokenStream) -> TokenStream {
    let ident = &item.ident;
    let name = ident.to_string();
    let docs: Vec<_> = item.attrs.iter().filter_map(doc).collect();
    let description = (!docs.is_empty()).then(|| {
        quote! {
            let description = [#(#docs),*].map(str::trim).join("\n");
            schema.insert(::std::string::String::from("description"), description.into());
        }
    });
    quote! {
        #[cfg(not(target_family = "wasm"))]
        impl #private::schemars::JsonSchema for #ident {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                #name.into()
            }

            fn schema_id() -> ::std::borrow::Cow<'static, str> {
                concat!(module_path!(), "::", #name).into()
            }

            #[allow(unused_mut)]
            fn json_schema(generator: &mut #private::schemars::SchemaGenerator) -> #private::schemars::Schema {
                let mut schema = <Empty as #private::schemars::JsonSchema>::json_schema(generator);
                #description
                schema
            }
        }
    }
}

/// The item, whose `#[schemars(…)]` are not there where the derive is not.
pub(super) fn attributes(mut item: DeriveInput) -> DeriveInput {
    struct Natively;

    impl VisitMut for Natively {
        fn visit_attribute_mut(&mut self, attribute: &mut Attribute) {
            if attribute.path().is_ident("schemars") {
                let meta = &attribute.meta;
                *attribute = parse_quote!(#[cfg_attr(not(target_family = "wasm"), #meta)]);
            }
            visit_mut::visit_attribute_mut(self, attribute);
        }
    }

    Natively.visit_derive_input_mut(&mut item);
    item
}

fn doc(attribute: &Attribute) -> Option<TokenStream> {
    match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => Some(pair.value.to_token_stream()),
        _ => None,
    }
}
