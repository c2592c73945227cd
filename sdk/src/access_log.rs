//! Access loggers: told of each request, and of each TCP connection, when it is over.
//!
//! Envoy has them beside its filters, in the [`access_log`](https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/observability/access_log/overview) of a listener, of a connection manager or of a TCP proxy, as the extension
//! [`envoy.access_loggers.wasm`](https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/extensions/access_loggers/wasm/v3/wasm.proto). They see requests that no filter saw: those that were refused before the filters, too.

use std::rc::Rc;

use crate::{
    Configure,
    abi::needs,
    fault,
    hooks::{Contexts, Finished, Registration, Stamp, configure},
};

/// An access logger, registered with [`#[access_logger]`](macro@crate::access_logger).
///
/// `log` cannot wait. What takes time, such as telling a collector, is left to a task that [`Configure::configure`] has spawned ([`Plugin::spawn`](crate::Plugin::spawn)), over a list that both hold.
///
/// # Examples
///
/// ```
/// # use inproxy::log;
/// use inproxy::{hooks::Finished, prelude::*};
///
/// /// Logs whoever was refused.
/// #[access_logger]
/// #[config]
/// struct Refusals;
///
/// impl AccessLogger for Refusals {
///     fn log(&self, stream: Finished<'_>) {
///         if stream.attributes().response().code().is_ok_and(|code| code == 403) {
///             log::info!("refused: {:?}", stream.request_headers().get(":path"));
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is registered with `#[access_logger]` but is none",
    label = "does not implement `AccessLogger`",
    note = "write `impl AccessLogger for {Self} {{ fn log(&self, stream: Finished<'_>) {{ … }} }}`"
)]
pub trait AccessLogger: Sized + 'static {
    /// A request, or a connection, is over. Nothing of it can be changed any more; a connection has no headers.
    fn log(&self, stream: Finished<'_>);
}

/// An access logger as a plugin: the proxy tells its root context of what is over.
struct Logger<L>(L);

// === impl Registration ===

impl Registration {
    /// An access logger; `stamp` as for [`hooks`](Self::hooks).
    pub const fn access_logger<L: AccessLogger + Configure>(stamp: Stamp) -> Self {
        Self::new(stamp, |json, mut plugin| {
            needs!("log");
            Ok(Rc::new(Logger(configure::<L>(json, &mut plugin)?)))
        })
    }
}

// === impl Logger ===

impl<L: AccessLogger> Contexts for Logger<L> {
    fn log(&self, root: u32) {
        self.0.log(Finished::unfiltered(root));
        if let Some(error) = fault::take() {
            log::error!("the access logger failed: {error:#}");
        }
    }
}
