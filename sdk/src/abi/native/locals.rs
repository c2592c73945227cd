//! What a VM keeps of its own. A thread is a VM, so that these are thread locals; natively a thread can also be several VMs in turn, and these are what it then exchanges.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    rc::Rc,
};

use super::{Host, enter};

/// A thread local that each VM has for itself, as `vm_local!` submits it.
pub(crate) struct Local {
    /// As a VM has it at first.
    pub(crate) fresh: fn() -> Box<dyn Any>,
    /// Exchanges what the thread has with what is kept here.
    pub(crate) swap: fn(&dyn Any),
    /// The VM that has this is gone.
    pub(crate) end: fn(&dyn Any),
}

/// What can change places with another of its kind.
pub(crate) trait Swap {
    fn swap_with(&self, other: &Self);

    /// The VM whose own this is has come to its end.
    fn end(&self) {}
}

/// What a VM keeps in the thread locals of the SDK while it runs; here while another does. So one thread is several VMs in turn, for a [`Host`] that has very many of them.
///
/// The dispatcher of `proxy-wasm` is the thread's all the same: the ids of contexts, and the tokens of calls, must be told apart by the host. So are the thread locals of a filter, and of its other crates.
pub struct Vm(Rc<Kept>);

struct Kept(Vec<(&'static Local, Box<dyn Any>)>);

inventory::collect!(Local);

thread_local! {
    /// The VM whose own is in the thread locals: whoever was called last, since that is whom the next call is for, nearly always.
    static IN_PLACE: RefCell<Option<Rc<Kept>>> = const { RefCell::new(None) };
    /// It is called just now.
    static CALLED: Cell<bool> = const { Cell::new(false) };
}

// === impl Vm ===

impl Vm {
    /// A VM in which nothing has happened yet.
    pub fn new() -> Self {
        Self(Rc::new(Kept(inventory::iter::<Local>().map(|local| (local, (local.fresh)())).collect())))
    }

    /// As [`enter`], with what this VM keeps. Not from within another.
    pub fn enter<T>(&self, host: Rc<dyn Host>, run: impl FnOnce() -> T) -> T {
        self.called(|| enter(host, run))
    }

    /// As the end of its thread would be to it: its contexts are dropped, in this order, with nobody to call.
    pub fn end(self, contexts: impl Iterator<Item = u32>) {
        self.called(|| contexts.for_each(super::vm::on_delete));
        take_out();
        for (local, kept) in &self.0.0 {
            (local.end)(kept.as_ref());
        }
    }

    fn called<T>(&self, run: impl FnOnce() -> T) -> T {
        struct Returns;
        impl Drop for Returns {
            fn drop(&mut self) {
                CALLED.set(false);
            }
        }
        assert!(!CALLED.get(), "a VM is called from within another");
        if !IN_PLACE.with_borrow(|other| other.as_ref().is_some_and(|other| Rc::ptr_eq(other, &self.0))) {
            take_out();
            self.0.exchange();
            IN_PLACE.set(Some(Rc::clone(&self.0)));
        }
        CALLED.set(true);
        let _returns = Returns;
        run()
    }
}

/// A call that is for the thread itself finds there what is its own.
pub(super) fn take_out() {
    if !CALLED.get()
        && let Ok(Some(kept)) = IN_PLACE.try_with(RefCell::take)
    {
        kept.exchange();
    }
}

// === impl Kept ===

impl Kept {
    fn exchange(&self) {
        for (local, kept) in &self.0 {
            (local.swap)(kept.as_ref());
        }
    }
}

impl Default for Vm {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Vm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vm").finish_non_exhaustive()
    }
}

// === impl Swap ===

impl<T> Swap for Cell<T> {
    fn swap_with(&self, other: &Self) {
        self.swap(other);
    }
}

impl<T> Swap for RefCell<T> {
    fn swap_with(&self, other: &Self) {
        self.swap(other);
    }
}
