//! Reads of several headers of one map, in one callback.
//!
//! Each call for one value costs about a microsecond in Envoy, most of it for the way into the proxy and back into the module for its memory. All headers together cost little more than two of them. So the first read asks for one value,
//! and the second for all of them, which the later ones look through. Whatever could make that stale forgets it: an edit, another context, the next callback.

use std::cell::{Cell, RefCell};

use super::{MapType, Status, calls, pairs};

/// What was read of which map. Nearly every callback asks for this, and most have read nothing: so it is apart from the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Read {
    Nothing,
    /// One value of a map.
    Once(u32),
    /// All of it, which is in [`ALL`].
    Whole(u32),
}

thread_local! {
    static READ: Cell<Read> = const { Cell::new(Read::Nothing) };
    static ALL: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The first value of a name, which is in lower case.
pub(crate) fn header(map: MapType, name: &[u8]) -> Result<Vec<u8>, Status> {
    let number = map as u32;
    match READ.get() {
        Read::Whole(of) if of == number => return find(name),
        Read::Once(of) if of == number => {
            // A proxy that has none to give is asked for each.
            if let Some(all) = calls::header_pairs(map).ok().filter(|all| !all.is_empty()) {
                // While the thread ends there is no place for it.
                if ALL.try_with(|place| place.replace(all)).is_ok() {
                    READ.set(Read::Whole(number));
                    return find(name);
                }
            }
        }
        _ => {
            forget();
            READ.set(Read::Once(number));
        }
    }
    calls::header(map, name)
}

fn find(name: &[u8]) -> Result<Vec<u8>, Status> {
    let name = if name == b"host" { b":authority" } else { name };
    ALL.try_with(|all| pairs::find(&all.borrow(), name).map(<[u8]>::to_vec)).ok().flatten().ok_or(Status::NOT_FOUND)
}

/// What was read may be stale.
pub(crate) fn forget() {
    let read = READ.get();
    if read != Read::Nothing {
        READ.set(Read::Nothing);
        if matches!(read, Read::Whole(_)) {
            // Nothing is left to forget while the thread ends.
            let _ = ALL.try_with(RefCell::take);
        }
    }
}
