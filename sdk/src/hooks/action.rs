/// What the proxy does with what it has just shown to a callback.
///
/// These two are what `proxy-wasm` can return. Envoy knows [more](https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/extensions/wasm/v3/wasm.proto); what they are for, such as a body that is read while its headers wait, the [async layer](crate::HttpFilter) has by other means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "a callback returns it"]
pub enum Action {
    /// It goes on to the next filter.
    Continue,
    /// It is held back, with what follows it, until the stream is resumed.
    Pause,
}

// === impl Action ===

impl Action {
    /// As the dispatcher wants it.
    #[inline]
    pub(in crate::hooks) const fn for_dispatcher(self) -> proxy_wasm::types::Action {
        match self {
            Self::Continue => proxy_wasm::types::Action::Continue,
            Self::Pause => proxy_wasm::types::Action::Pause,
        }
    }
}
