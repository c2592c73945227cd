//! Masks a text in responses, and counts and logs it: with the raw crate.

#![allow(missing_docs, reason = "what the raw crate's macro makes")]

// ANCHOR: root
use std::rc::Rc;

use proxy_wasm::{
    hostcalls,
    traits::{Context, HttpContext, RootContext},
    types::{Action, ContextType, LogLevel, MetricType},
};
use serde::Deserialize;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(Root { config: None, masked: 0 }));
}}

#[derive(Deserialize)]
struct Config {
    text: String,
}

struct Root {
    config: Option<Rc<Config>>,
    /// The counter's id.
    masked: u32,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        let Ok(masked) = hostcalls::define_metric(MetricType::Counter, "mask.masked") else { return false };
        self.masked = masked;
        let json = self.get_plugin_configuration().unwrap_or_default();
        match serde_json::from_slice::<Config>(&json) {
            Ok(config) if !config.text.is_empty() => {
                self.config = Some(Rc::new(config));
                true
            }
            Ok(_) => {
                log::error!("text: is empty");
                false
            }
            Err(error) => {
                log::error!("the configuration is not valid: {error}");
                false
            }
        }
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        let config = self.config.clone()?;
        Some(Box::new(Mask { config, masked: self.masked }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
// ANCHOR_END: root

// ANCHOR: stream
struct Mask {
    config: Rc<Config>,
    masked: u32,
}

impl Context for Mask {}

impl HttpContext for Mask {
    fn on_http_response_headers(&mut self, _: usize, end_of_stream: bool) -> Action {
        if !end_of_stream {
            self.set_http_response_header("content-length", None);
        }
        Action::Continue
    }

    fn on_http_response_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        if !end_of_stream {
            return Action::Pause;
        }
        let body = self.get_http_response_body(0, size).unwrap_or_default();
        let body = String::from_utf8_lossy(&body);
        let count = body.matches(&self.config.text).count();
        if count > 0 {
            let masked = body.replace(&self.config.text, "***");
            self.set_http_response_body(0, size, masked.as_bytes());
            let _ = hostcalls::increment_metric(self.masked, count as i64);
            log::info!("masked {count} times");
        }
        Action::Continue
    }
}
// ANCHOR_END: stream
