//! Services of Envoy's bootstrap: code that runs with the proxy, and that no request goes through.
//!
//! Envoy starts them as the extension [`envoy.bootstrap.wasm`](https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/other_features/wasm_service): with `singleton: true` once, on its main thread; else on every worker too.
//! A service that shares a `vm_id` with filters shares [data](crate::shared) and [queues](crate::queue) with them: it can fetch a list, or tell a collector, once for all workers.

use std::{future::Future, rc::Rc, time::Duration};

use crate::{
    Configure, Result,
    hooks::{Contexts, Registration, Stamp, configure},
    task::Pauses,
    time,
};

/// A service, registered with [`#[service]`](macro@crate::service).
///
/// `run` begins about a millisecond after the proxy has taken the configuration, beside everything else that its thread does, and ends with the configuration. Envoy makes its clusters known after it has started its services: calls
/// that are made at once may fail. When `run` fails, the error is logged, and it runs again, after a second at first, and after half a minute at most. When it returns `Ok`, the service is done.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use inproxy::{prelude::*, shared::Shared, time};
///
/// /// Fetches a list every minute, for the filters of the module.
/// #[service]
/// #[config]
/// struct Refresh {
///     lists: Cluster,
/// }
///
/// impl Service for Refresh {
///     async fn run(&self) -> Result<()> {
///         let denied = Shared::<Vec<u8>>::new("denied");
///         loop {
///             let list = self.lists.get("/denied").send().await?.require_success()?;
///             denied.set(&list.into_body())?;
///             time::sleep(Duration::from_secs(60)).await;
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is registered with `#[service]` but is none",
    label = "does not implement `Service`",
    note = "write `impl Service for {Self} {{ async fn run(&self) -> Result<()> {{ … }} }}`"
)]
pub trait Service: Sized + 'static {
    /// What the service does.
    ///
    /// # Errors
    ///
    /// An error is logged, and `run` is called again.
    fn run(&self) -> impl Future<Output = Result<()>>;
}

/// A service as a plugin: one that has no streams.
struct Running;

// === impl Registration ===

impl Registration {
    /// A service; `stamp` as for [`hooks`](Self::hooks).
    pub const fn service<S: Service + Configure>(stamp: Stamp) -> Self {
        Self::new(stamp, |json, mut plugin| {
            let service = configure::<S>(json, &mut plugin)?;
            plugin.spawn(run(service));
            Ok(Rc::new(Running))
        })
    }
}

async fn run(service: impl Service) {
    let mut pauses = Pauses::default();
    let mut began = time::Instant::now();
    while let Err(error) = service.run().await {
        // It has done its work for a while: this is another fault.
        if began.elapsed() > Duration::from_secs(60) {
            pauses = Pauses::default();
        }
        let pause = pauses.next();
        log::error!("the service failed, and runs again in {pause:.1?}: {error:#}");
        time::sleep(pause).await;
        began = time::Instant::now();
    }
}

// === impl Running ===

impl Contexts for Running {}
