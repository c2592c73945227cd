//! The VM of this thread, for filters that are driven without a model: the dispatcher of `proxy-wasm`, and a host of the target's own.

use std::{cell::Cell, rc::Rc};

use inproxy::{
    __private::Registered,
    abi::{Host, enter, vm},
};

thread_local! {
    /// The last context that was made.
    static CONTEXT: Cell<u32> = const { Cell::new(0) };
}

/// A name for a new context.
pub(crate) fn new_context() -> u32 {
    CONTEXT.set(CONTEXT.get() + 1);
    CONTEXT.get()
}

/// Makes a root context with a filter. The host must say `F::ROOT_ID` when it is asked for the property `plugin_root_id`, and give a configuration of this size.
pub(crate) fn root<F: Registered>(host: &Rc<impl Host + 'static>, configuration: usize) -> u32 {
    enter(Rc::clone(host) as Rc<dyn Host>, || {
        if CONTEXT.get() == 0 {
            vm::initialize();
        }
        let root = new_context();
        vm::on_context_create(root, 0);
        assert!(vm::on_vm_start(root, 0) && vm::on_configure(root, configuration), "{} is not configured", F::ROOT_ID);
        root
    })
}

/// A panic of a filter, which the SDK has caught at the edge of a callback.
#[derive(Default)]
pub(crate) struct Panicked(Cell<Option<String>>);

// === impl Panicked ===

impl Panicked {
    pub(crate) fn with(&self, message: &str) {
        self.0.set(Some(message.to_owned()));
    }

    pub(crate) fn check(&self) {
        if let Some(message) = self.0.take() {
            panic!("in a callback: {message}");
        }
    }
}
