//! The attributes of [`inproxy`](https://docs.rs/inproxy), which re-exports them: use them from there.
//!
//! Each attribute is a pipeline: `attr` reads its options, `model` is what they and the item say, with all mistakes collected, and `expand` writes the code.

mod config;
mod errors;
mod krate;
mod options;
mod plugin;

use proc_macro::TokenStream;

use self::plugin::{Attribute, plugin};

/// Registers a struct as a filter of the module.
///
/// The struct implements `HttpFilter`, or `HttpHooks` with `#[filter(hooks)]`; with `#[filter(network)]` it is a network filter, and implements `NetworkFilter`, or `NetworkHooks`. It says how it is made: it is its own configuration (`#[config]`), or implements `Configure`.
///
/// | option | meaning | default |
/// |---|---|---|
/// | `network` | it is a filter of TCP connections, and has no `held`, `waits` and `async_configure` | a filter of HTTP requests |
/// | `root_id = "…"` | the name by which the proxy's configuration chooses the filter, if the module has several | the struct's name in snake case |
/// | `on_error = deny` or `allow` | what becomes of a request whose filter failed; see `OnError` | `deny` |
/// | `held` | the filter reads bodies while it holds the headers: refuse a configuration in which that would hang | |
/// | `waits` | the filter holds a response while it waits for what is not the SDK's | |
/// | `async_configure` | the filter implements `ConfigureAsync`: it is made by an async function | `Configure` |
/// | `hooks` | the filter implements `HttpHooks`, or `NetworkHooks`; `hooks(request_headers, …)` names its callbacks | `HttpFilter`, or `NetworkFilter` |
/// | `crate = "…"` | the path of the `inproxy` crate, where it cannot be found | found in Cargo.toml, also under another name |
///
/// A module may have several filters. Two with the same root id are refused when the module is configured.
///
/// # Examples
///
/// ```
/// use inproxy::prelude::*;
///
/// #[filter(root_id = "pass", on_error = allow)]
/// #[config]
/// struct Pass;
///
/// impl HttpFilter for Pass {
///     async fn handle(&self, request: Request, next: Next) -> Result<Response> {
///         Ok(next.run(request).await)
///     }
/// }
/// ```
#[proc_macro_attribute]
pub fn filter(options: TokenStream, item: TokenStream) -> TokenStream {
    plugin(Attribute::Filter, options.into(), item.into()).into()
}

/// Registers a struct as an [access logger](https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/extensions/access_loggers/wasm/v3/wasm.proto) of the module.
///
/// The struct implements `AccessLogger`, and says how it is made as a filter does: by `#[config]`, or `Configure`. The options are `root_id` and `crate`, as for [`macro@filter`].
///
/// # Examples
///
/// ```
/// use inproxy::{hooks::Finished, prelude::*};
///
/// #[access_logger]
/// #[config]
/// struct Slow {
///     milliseconds: u64,
/// }
///
/// impl AccessLogger for Slow {
///     fn log(&self, stream: Finished<'_>) {
///         let took = stream.attributes().request().duration();
///         if took.is_ok_and(|took| took.as_millis() >= u128::from(self.milliseconds)) {
///             log::warn!("slow: {:?}", stream.request_headers().get(":path"));
///         }
///     }
/// }
/// ```
#[proc_macro_attribute]
pub fn access_logger(options: TokenStream, item: TokenStream) -> TokenStream {
    plugin(Attribute::AccessLogger, options.into(), item.into()).into()
}

/// Registers a struct as a [service](https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/other_features/wasm_service) of the module: what Envoy's bootstrap starts, and no request goes through.
///
/// The struct implements `Service`, and says how it is made as a filter does: by `#[config]`, or `Configure`. The options are `root_id` and `crate`, as for [`macro@filter`].
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use inproxy::{prelude::*, shared::SharedCounter, time};
///
/// /// Counts the minutes, for all filters of the module.
/// #[service]
/// #[config]
/// struct Minutes;
///
/// impl Service for Minutes {
///     async fn run(&self) -> Result<()> {
///         let minutes = SharedCounter::new("minutes");
///         loop {
///             time::sleep(Duration::from_secs(60)).await;
///             minutes.add(1)?;
///         }
///     }
/// }
/// ```
#[proc_macro_attribute]
pub fn service(options: TokenStream, item: TokenStream) -> TokenStream {
    plugin(Attribute::Service, options.into(), item.into()).into()
}

/// Makes a struct or an enum readable from the plugin's configuration.
///
/// It derives `serde::Deserialize` and refuses unknown fields. A struct without fields is read from `{}`, or from nothing at all. Fields may carry
/// `#[serde(…)]` attributes; no dependency on `serde` is needed.
///
/// | option | meaning |
/// |---|---|
/// | `allow_unknown_fields` | unknown fields are ignored; needed with `#[serde(flatten)]` |
/// | `schema` | it has a JSON Schema too, in native builds: see `inproxy::config::schema`. Needs the feature `schema` of `inproxy`; fields may then carry `#[schemars(…)]` attributes |
/// | `crate = "…"` | as for `#[filter]` |
#[proc_macro_attribute]
pub fn config(options: TokenStream, item: TokenStream) -> TokenStream {
    config::config(options.into(), item.into()).into()
}
