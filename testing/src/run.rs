use std::{env, future::Future};

/// Where a test runs a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HostKind {
    /// As ordinary Rust code in the test's process.
    Native,
    /// Its module in a wasm engine.
    Wasm,
    /// Its module in the real Envoy.
    Envoy,
}

// === impl HostKind ===

impl HostKind {
    /// Its name in a test's path and in `INPROXY_HOSTS`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Wasm => "wasm",
            Self::Envoy => "envoy",
        }
    }

    /// Whether `INPROXY_HOSTS` leaves it out.
    fn left_out(self) -> bool {
        env::var("INPROXY_HOSTS").is_ok_and(|hosts| !hosts.split(',').any(|host| host.trim() == self.name()))
    }
}

/// Runs one case on one host.
pub fn run<F: Future<Output = ()>>(host: HostKind, name: &'static str, case: impl FnOnce(&'static str) -> F) {
    if host.left_out() {
        println!("{name}: left out by INPROXY_HOSTS");
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime for the test");
    runtime.block_on(case(name));
}
