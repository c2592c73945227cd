//! Reads of several headers of one map, in one callback.
//!
//! Each call for one value costs about a microsecond in Envoy, most of it for the way into the proxy and back into the module for its memory. All headers together cost little more than two of them. So the first read asks for one value,
//! and the second for all of them, which the later ones look through. Whatever could make that stale forgets it: an edit, another context, the next callback.

use std::cell::RefCell;

use super::{MapType, Status, calls, pairs};

#[derive(Default)]
struct Reads {
    /// The map that was read last.
    map: Option<u32>,
    /// All of it, once it was read twice.
    pairs: Option<Vec<u8>>,
}

thread_local! {
    static READS: RefCell<Reads> = const { RefCell::new(Reads { map: None, pairs: None }) };
}

/// The first value of a name, which is in lower case.
pub(crate) fn header(map: MapType, name: &[u8]) -> Result<Vec<u8>, Status> {
    READS
        .try_with(|reads| {
            let mut reads = reads.borrow_mut();
            if reads.map != Some(map as u32) {
                *reads = Reads { map: Some(map as u32), pairs: None };
                return None;
            }
            if reads.pairs.is_none() {
                // A proxy that has none to give is asked for each.
                reads.pairs = calls::header_pairs(map).ok().filter(|pairs| !pairs.is_empty());
            }
            let name = if name == b"host" { b":authority" } else { name };
            reads.pairs.as_deref().map(|all| pairs::find(all, name).map(<[u8]>::to_vec).ok_or(Status::NOT_FOUND))
        })
        .ok()
        .flatten()
        .unwrap_or_else(|| calls::header(map, name))
}

/// What was read may be stale.
pub(crate) fn forget() {
    // Nothing is read while the thread ends.
    let _ = READS.try_with(|reads| {
        let mut reads = reads.borrow_mut();
        if reads.map.is_some() {
            *reads = Reads::default();
        }
    });
}
