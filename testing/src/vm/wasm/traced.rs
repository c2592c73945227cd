//! Host functions, and around each one that records that it is called, and what it returns, where a test has asked for that.

use wasmi::{Caller, Error, Func, IntoFunc, Linker, Store, Val, errors::LinkerError};

use super::Guest;
use crate::trace::Returned;

/// Where host functions are defined.
pub(super) struct Functions<'a> {
    pub(super) linker: Linker<Guest>,
    pub(super) store: &'a mut Store<Guest>,
    pub(super) traced: bool,
}

// === impl Functions ===

impl Functions<'_> {
    pub(super) fn func_wrap<P, R>(&mut self, module: &str, name: &'static str, function: impl IntoFunc<Guest, P, R>) -> Result<(), LinkerError> {
        if !self.traced {
            return self.linker.func_wrap(module, name, function).map(|_| ());
        }
        let inner = Func::wrap(&mut *self.store, function);
        let outer = move |mut caller: Caller<'_, Guest>, arguments: &[Val], results: &mut [Val]| -> Result<(), Error> {
            caller.data().calls.begin(false, name, arguments.iter().map(number).collect());
            inner.call(&mut caller, arguments, results)?;
            caller.data().calls.end(returned(results));
            Ok(())
        };
        let kind = inner.ty(&*self.store);
        let outer = Func::new(&mut *self.store, kind, outer);
        self.linker.define(module, name, outer).map(|_| ())
    }
}

/// What a function has returned.
pub(super) fn returned(results: &[Val]) -> Returned {
    results.first().map_or(Returned::Nothing, |result| Returned::Number(number(result) as u32))
}

fn number(value: &Val) -> u64 {
    match value {
        Val::I32(value) => u64::from(*value as u32),
        Val::I64(value) => *value as u64,
        _ => 0,
    }
}
