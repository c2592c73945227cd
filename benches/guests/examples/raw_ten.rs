//! Reads ten headers: with the raw crate.

#![allow(missing_docs, reason = "what the raw crate's macro makes")]

use proxy_wasm::{
    traits::{Context, HttpContext, RootContext},
    types::{Action, ContextType, LogLevel},
};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::new(Root) });
}}

struct Root;

impl Context for Root {}

impl RootContext for Root {
    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Ten))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

struct Ten;

const NAMES: [&str; 10] = ["x-h0", "x-h1", "x-h2", "x-h3", "x-h4", "x-h5", "x-h6", "x-h7", "x-h8", "x-h9"];

impl Context for Ten {}

impl HttpContext for Ten {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let headers = self.get_http_request_headers();
        let found = NAMES.iter().filter(|name| headers.iter().any(|(other, value)| other == *name && !value.is_empty())).count();
        if found < NAMES.len() {
            self.send_http_response(403, vec![], None);
            return Action::Pause;
        }
        Action::Continue
    }
}
