//! Where the proxy enters the module: the VM's start, and the root context of each configured plugin.

use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, SystemTime},
};

use proxy_wasm::{
    traits::{Context, HttpContext, RootContext, StreamContext},
    types::{Bytes, ContextType, Status},
};

use super::{
    CallToken, Registration,
    above::{self, GrpcEvent, Sizes},
    contexts::{Contexts, Misplaced, context_type},
    uncalled,
};
use crate::{
    abi::{self, BufferType, vm_local},
    log as proxy_log,
};

proxy_wasm::main! {{
    proxy_wasm::set_root_context(|context| Box::new(RootShim { context, plugin: None }));
}}

vm_local! {
    /// The root context whose plugin is being configured.
    static CONFIGURING: Cell<Option<u32>> = Cell::new(None);
}

/// The root context whose plugin is being configured in the running callback, if one is.
pub(crate) fn configuring() -> Option<u32> {
    CONFIGURING.get()
}

/// Runs this as if it were in the callback that configures a plugin: what reads a configuration may ask the proxy. Not for use by hand.
#[cfg(all(feature = "schema", not(target_family = "wasm")))]
#[doc(hidden)]
pub fn while_configuring<T>(run: impl FnOnce() -> T) -> T {
    let before = CONFIGURING.replace(Some(0));
    let result = run();
    CONFIGURING.set(before);
    result
}

/// The root context of one configuration of one plugin.
struct RootShim {
    context: u32,
    plugin: Option<Rc<dyn Contexts>>,
}

// === impl RootShim ===

impl Drop for RootShim {
    fn drop(&mut self) {
        abi::callback((), || {
            above::gone(self.context);
            above::after(self.context);
        });
    }
}

impl RootShim {
    fn grpc(&mut self, token: u32, event: GrpcEvent) {
        abi::callback((), || {
            above::grpc(token, event, Some(self.context));
            above::after(self.context);
        });
    }
}

impl Context for RootShim {
    uncalled::context!();
    above::grpc_callbacks!();

    fn on_http_call_response(&mut self, token: u32, headers: usize, body: usize, trailers: usize) {
        abi::callback((), || {
            above::call(self.context, CallToken(token), Sizes { headers, body, trailers });
            above::after(self.context);
        });
    }
}

impl RootContext for RootShim {
    uncalled::root!();

    fn on_vm_start(&mut self, _: usize) -> bool {
        true
    }

    fn on_configure(&mut self, size: usize) -> bool {
        abi::callback(false, || {
            proxy_log::install();
            let root_id = abi::property(b"plugin_root_id").map_err(|status| crate::HostError::new("read the root id", status));
            // The proxy has no buffer for an empty configuration.
            let json = if size == 0 { Ok(Vec::new()) } else { abi::buffer(BufferType::PluginConfiguration, 0, size) };
            CONFIGURING.set(Some(self.context));
            let configured = json
                .map_err(|status| crate::HostError::new("read the configuration", status).into())
                .and_then(|json| Registration::configure(root_id, &json, self.context));
            let accepted = match configured {
                Ok(plugin) => {
                    self.plugin = Some(plugin);
                    true
                }
                Err(error) => {
                    log::error!("{error:#}");
                    false
                }
            };
            CONFIGURING.set(None);
            above::after(self.context);
            accepted
        })
    }

    fn on_tick(&mut self) {
        abi::callback((), || {
            // Whoever sets the proxy's level while a filter runs sees what comes from here on.
            proxy_log::follow();
            above::tick(self.context);
            above::after(self.context);
        });
    }

    fn on_queue_ready(&mut self, queue: u32) {
        abi::callback((), || {
            above::queue(self.context, queue);
            above::after(self.context);
        });
    }

    fn on_log(&mut self) {
        abi::callback((), || {
            if let Some(plugin) = &self.plugin {
                plugin.log(self.context);
            }
            above::after(self.context);
        });
    }

    fn create_http_context(&self, context: u32) -> Option<Box<dyn HttpContext>> {
        Some(match &self.plugin {
            Some(plugin) => Rc::clone(plugin).http(context, self.context),
            None => Box::new(Misplaced),
        })
    }

    fn create_stream_context(&self, context: u32) -> Option<Box<dyn StreamContext>> {
        Some(match &self.plugin {
            Some(plugin) => Rc::clone(plugin).connection(context, self.context),
            None => Box::new(Misplaced),
        })
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(self.plugin.as_deref().map_or(ContextType::HttpContext, context_type))
    }
}
