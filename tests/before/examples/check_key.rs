//! Asks a service whether a request may pass: with the raw crate.

#![allow(missing_docs, reason = "what the raw crate's macro makes")]

// ANCHOR: root
use std::{rc::Rc, time::Duration};

use proxy_wasm::{
    traits::{Context, HttpContext, RootContext},
    types::{Action, ContextType, LogLevel},
};
use serde::Deserialize;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(Root { config: None }));
}}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    authority: String,
    timeout_ms: u64,
}

struct Root {
    config: Option<Rc<Config>>,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        let Some(json) = self.get_plugin_configuration() else {
            log::error!("no configuration");
            return false;
        };
        match serde_json::from_slice(&json) {
            Ok(config) => {
                self.config = Some(Rc::new(config));
                true
            }
            Err(error) => {
                log::error!("the configuration is not valid: {error}");
                false
            }
        }
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        let config = self.config.clone()?;
        Some(Box::new(CheckKey { config }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
// ANCHOR_END: root

// ANCHOR: stream
struct CheckKey {
    config: Rc<Config>,
}

impl HttpContext for CheckKey {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let Some(key) = self.get_http_request_header("x-api-key") else {
            self.send_http_response(401, vec![], Some(b"missing x-api-key\n"));
            return Action::Pause;
        };
        let authority = &self.config.authority;
        let headers = vec![(":method", "GET"), (":path", "/check"), (":authority", authority), ("x-api-key", &key)];
        let timeout = Duration::from_millis(self.config.timeout_ms);
        if let Err(status) = self.dispatch_http_call(authority, headers, None, vec![], timeout) {
            log::warn!("no decision: {status:?}");
            self.send_http_response(503, vec![], None);
        }
        Action::Pause
    }
}

impl Context for CheckKey {
    fn on_http_call_response(&mut self, _: u32, _: usize, _: usize, _: usize) {
        match self.get_http_call_response_header(":status").as_deref() {
            Some("200") => {
                self.set_http_request_header("x-user", self.get_http_call_response_header("x-user").as_deref());
                self.resume_http_request();
            }
            // Envoy itself answers with these if the service does not.
            None | Some("503" | "504") => {
                log::warn!("no decision");
                self.send_http_response(503, vec![], None);
            }
            Some(_) => self.send_http_response(403, vec![], None),
        }
    }
}
// ANCHOR_END: stream
