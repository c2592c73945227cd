//! Work that no request waits for: tasks of the plugin, which run beside its requests.
//!
//! A task lives with the configuration it was spawned for: it ends when its future does, or when the proxy drops that configuration. After an update the old configuration stays until its last requests
//! are done, and so do its tasks, beside those of the new one. Each VM has its own: one on every worker, and one on the main thread. What only one of them shall do takes a value that all share ([`shared`](crate::shared)).
//!
//! A task runs in the ticks of the plugin, beginning about a millisecond after it was spawned.
//!
//! # Examples
//!
//! ```
//! use std::{cell::RefCell, rc::Rc, time::Duration};
//!
//! use inproxy::{log, prelude::*, time};
//!
//! #[config]
//! struct Settings {
//!     list: Cluster,
//! }
//!
//! struct Denied {
//!     list: Rc<RefCell<Vec<u8>>>,
//! }
//!
//! impl Configure for Denied {
//!     type Config = Settings;
//!
//!     fn configure(config: Settings, plugin: &mut Plugin) -> Result<Self> {
//!         let list = Rc::new(RefCell::new(Vec::new()));
//!         let filled = Rc::clone(&list);
//!         plugin.spawn(async move {
//!             loop {
//!                 match config.list.get("/denied").send().await {
//!                     Ok(answer) => *filled.borrow_mut() = answer.into_body(),
//!                     Err(error) => log::warn!("the list stays as it is: {error}"),
//!                 }
//!                 time::sleep(Duration::from_secs(60)).await;
//!             }
//!         });
//!         Ok(Self { list })
//!     }
//! }
//! ```

mod pauses;
mod single_flight;

use std::future::Future;

pub use self::single_flight::{Abandoned, SingleFlight};

pub(crate) use self::pauses::Pauses;

use crate::{Plugin, runtime::StreamId};

impl Plugin {
    /// Runs a future beside the plugin's requests; see [`task`](crate::task).
    ///
    /// If the configuration is refused, the future is dropped.
    pub fn spawn(&mut self, future: impl Future<Output = ()> + 'static) {
        start(self.context, future);
    }
}

/// Runs a future beside the request, or the task, whose code calls this: it outlives that, and lives as long as the plugin.
///
/// Called outside of both, in [`Configure::configure`](crate::Configure::configure), it does nothing but log an error: there is [`Plugin::spawn`].
pub fn spawn(future: impl Future<Output = ()> + 'static) {
    match StreamId::current() {
        Some(current) => start(current.root(), future),
        None => log::error!("a task was not started: `task::spawn` was called outside of a request and of a task; see `Plugin::spawn`"),
    }
}

fn start(root: u32, future: impl Future<Output = ()> + 'static) {
    StreamId::open_in_background(root, Box::pin(future));
}
