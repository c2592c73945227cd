use std::cell::RefCell;

use super::{MetricError, name};
use crate::{
    HostError,
    abi::{self, MetricType, vm_local},
};

/// A metric without labels that this VM has defined.
struct Defined {
    kind: u32,
    name: Box<str>,
    id: u32,
}

vm_local! {
    /// The proxy has a new id, for ever, each time that a name is defined. So each is defined once in the life of the VM, not once for each configuration.
    static DEFINED: RefCell<Vec<Defined>> = RefCell::new(Vec::new());
}

/// The id of a metric without labels.
pub(super) fn plain(kind: MetricType, name: &str) -> Result<u32, MetricError> {
    name::check(name)?;
    DEFINED.with_borrow_mut(|defined| {
        let number = kind as u32;
        if let Some(known) = defined.iter().find(|known| known.kind == number && *known.name == *name) {
            return Ok(known.id);
        }
        let id = stat(kind, name).map_err(|cause| MetricError::refused(name, cause))?;
        defined.push(Defined { kind: number, name: name.into(), id });
        Ok(id)
    })
}

/// A new id for a statistic of the proxy.
pub(super) fn stat(kind: MetricType, name: &str) -> Result<u32, HostError> {
    abi::define_metric(kind, name).map_err(|status| HostError::new("define a metric", status))
}
