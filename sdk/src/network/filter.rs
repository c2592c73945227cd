use std::future::Future;

use super::Connection;
use crate::Result;

/// A network filter: one async function, called for each connection, which decides what becomes of it.
///
/// `self` is the plugin: one value for each VM and configuration, shared by all its connections. What belongs to one connection are the local variables of `handle`.
///
/// - To let the rest of the connection pass, return `Ok`.
/// - To refuse it, return an error, which is logged, or [`close`](Connection::close) it. What the client has sent and the filter has not let go never reaches the upstream.
/// - To wait for something, `.await` it; [what waits meanwhile](crate::network#what-can-wait-and-what-cannot) is said there. The proxy's worker does not.
/// - When the connection is closed, the future of `handle` is dropped at the `.await` where it is.
///
/// # Errors
///
/// When `handle` returns an error, the connection is closed, with what is held of it; with `#[filter(network, on_error = allow)]` the rest of it passes as it is.
///
/// # Examples
///
/// ```
/// use inproxy::prelude::*;
///
/// /// Lets only clients pass that a service allows, before the upstream hears of them.
/// #[filter(network)]
/// #[config]
/// struct Allowed {
///     service: Cluster,
/// }
///
/// impl NetworkFilter for Allowed {
///     async fn handle(&self, connection: Connection) -> Result<()> {
///         let client = connection.source().address()?.ip();
///         self.service.get(&format!("/allowed/{client}")).send().await?.require_success()?;
///         Ok(())
///     }
/// }
/// ```
///
/// Reads the client's first bytes before it decides:
///
/// ```
/// use inproxy::prelude::*;
///
/// /// Refuses what is not TLS.
/// #[filter(network)]
/// #[config]
/// struct OnlyTls;
///
/// impl NetworkFilter for OnlyTls {
///     async fn handle(&self, mut connection: Connection) -> Result<()> {
///         let hello = connection.downstream().read_at_least(3).await?;
///         if !hello.starts_with(&[0x16, 3]) {
///             connection.close();
///         }
///         Ok(())
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is registered with `#[filter(network)]` but is not a network filter",
    label = "does not implement `NetworkFilter`",
    note = "write `impl NetworkFilter for {Self} {{ async fn handle(&self, connection: Connection) -> Result<()> {{ … }} }}`",
    note = "a filter that implements `NetworkHooks` is registered with `#[filter(network, hooks)]`"
)]
pub trait NetworkFilter: Sized + 'static {
    /// Handles one connection.
    fn handle(&self, connection: Connection) -> impl Future<Output = Result<()>>;
}
