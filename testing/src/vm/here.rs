use std::{cell::RefCell, collections::BTreeSet, rc::Rc};

use inproxy::abi::{Host, Vm as Own, vm};

use super::{Callback, Trap, Vm, native::call};
use crate::{allocations::Side, model::Calls};

/// The filter as ordinary Rust code, in this thread: what the SDK keeps of a VM changes places at each call. It starts far faster than a thread, and nobody has to wait for another.
pub(crate) struct HereVm {
    own: Option<Own>,
    calls: Rc<Calls>,
    ids: Ids,
    /// By the ids that the model has for them. A stream's is above that of its root.
    contexts: BTreeSet<u32>,
    /// The HTTP call-outs that were answered.
    answered: BTreeSet<u32>,
}

/// A part of the ids by which the dispatcher of this thread tells apart contexts, and calls.
struct Ids(u32);

/// How many ids a VM has.
const RANGE: u32 = 1 << 24;

thread_local! {
    static TAKEN: RefCell<BTreeSet<u32>> = const { RefCell::new(BTreeSet::new()) };
}

// === impl HereVm ===

impl HereVm {
    pub(crate) fn start(calls: Calls) -> Self {
        let ids = Ids::take();
        let calls = calls.reentering(|callback| {
            call(callback);
        });
        Self { own: Some(Own::new()), calls: Rc::new(calls.with_ids_from(ids.0)), ids, contexts: BTreeSet::new(), answered: BTreeSet::new() }
    }
}

impl Vm for HereVm {
    fn call(&mut self, callback: Callback) -> Result<u32, Trap> {
        match callback {
            Callback::ContextCreate { context, .. } => drop(self.contexts.insert(context)),
            Callback::Delete { context } => drop(self.contexts.remove(&context)),
            Callback::CallResponse { token, .. } => drop(self.answered.insert(token)),
            _ => {}
        }
        let Some(own) = &self.own else { return Err(Trap("the VM has ended".to_owned())) };
        let result = own.enter(Rc::clone(&self.calls) as Rc<dyn Host>, || {
            let _filter = Side::filter();
            call(callback.shifted(self.ids.0))
        });
        self.calls.take_panic().map_or(Ok(result), |message| Err(Trap(message)))
    }
}

impl Drop for HereVm {
    fn drop(&mut self) {
        let Some(own) = self.own.take() else { return };
        own.end(self.contexts.iter().rev().map(|context| context + self.ids.0));
        // What has not come of its calls finds nobody, and is then forgotten.
        let [http, grpc, grpc_streams] = self.calls.tokens();
        for token in http.filter(|token| !self.answered.contains(token)) {
            vm::on_http_call_response(0, token + self.ids.0, 0, 0, 0);
        }
        for token in grpc.chain(grpc_streams) {
            vm::on_grpc_close(0, token + self.ids.0, 0);
        }
    }
}

// === impl Ids ===

impl Ids {
    /// # Panics
    ///
    /// If this thread has 255 VMs.
    fn take() -> Self {
        TAKEN.with_borrow_mut(|taken| {
            let free = (0..u32::MAX / RANGE).map(|at| at * RANGE).find(|from| !taken.contains(from)).expect("a thread has fewer than 256 VMs");
            taken.insert(free);
            Self(free)
        })
    }
}

impl Drop for Ids {
    fn drop(&mut self) {
        TAKEN.with_borrow_mut(|taken| taken.remove(&self.0));
    }
}
