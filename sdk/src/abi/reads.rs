//! Reads of several headers of one map, in one callback.
//!
//! Each call for one value costs about a microsecond in Envoy, most of it for the way into the proxy and back into the module for its memory. All headers together cost little more than two of them. So the first read asks for one value,
//! and the second for all of them, which the later ones look through; from then on the first asks for all, until a callback reads one only. Whatever could make that stale forgets it: an edit, another context, the next callback.

use std::{
    cell::{Cell, RefCell},
    ops::Range,
    sync::Arc,
};

use super::{MapType, Status, calls, locals::vm_local, pairs::Whole};

/// A value, as it was read.
#[derive(Debug)]
pub(crate) enum Value {
    /// It was asked for alone.
    Alone(Vec<u8>),
    /// It lies in the bytes of the whole map.
    Within(Arc<Vec<u8>>, Range<usize>),
}

/// What was read of which map. Nearly every callback asks for this, and most have read nothing: so it is apart from the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Read {
    Nothing,
    /// One value of a map.
    Once(u32),
    /// All of it, which is in [`ALL`].
    Whole(u32),
    /// All of it, of which one value was asked for so far.
    WholeForOne(u32),
}

vm_local! {
    static READ: Cell<Read> = Cell::new(Read::Nothing);
    static ALL: RefCell<Option<Whole>> = RefCell::new(None);
    /// The maps of which the last callback that read any of it read several values, one bit for each.
    static SEVERAL: Cell<u32> = Cell::new(0);
}

/// The first value of a name, which is in lower case.
pub(crate) fn header(map: MapType, name: &[u8]) -> Result<Value, Status> {
    let number = map as u32;
    match READ.get() {
        Read::Whole(of) if of == number => return find(name),
        Read::WholeForOne(of) if of == number => {
            READ.set(Read::Whole(number));
            return find(name);
        }
        Read::Once(of) if of == number => {
            SEVERAL.set(SEVERAL.get() | 1 << number);
            if fetch(map) {
                READ.set(Read::Whole(number));
                return find(name);
            }
        }
        _ => {
            forget();
            if SEVERAL.get() & 1 << number != 0 && fetch(map) {
                READ.set(Read::WholeForOne(number));
                return find(name);
            }
            READ.set(Read::Once(number));
        }
    }
    calls::header(map, name).map(Value::Alone)
}

/// Whether the proxy has given a map; one that has none to give is asked for each value.
fn fetch(map: MapType) -> bool {
    let all = calls::header_pairs(map).ok().filter(|all| !all.is_empty()).and_then(Whole::try_new);
    // While the thread ends there is no place for it.
    all.is_some_and(|all| ALL.try_with(|place| place.replace(Some(all))).is_ok())
}

fn find(name: &[u8]) -> Result<Value, Status> {
    let name = if name == b"host" { b":authority" } else { name };
    let found = ALL.try_with(|all| all.borrow().as_ref()?.find(name)).ok().flatten();
    found.map(|(map, range)| Value::Within(map, range)).ok_or(Status::NOT_FOUND)
}

/// What was read may be stale.
#[inline]
pub(crate) fn forget() {
    if READ.get() != Read::Nothing {
        forget_what_was_read();
    }
}

fn forget_what_was_read() {
    match READ.replace(Read::Nothing) {
        Read::Nothing | Read::Once(_) => {}
        Read::Whole(_) => clear(),
        Read::WholeForOne(number) => {
            SEVERAL.set(SEVERAL.get() & !(1 << number));
            clear();
        }
    }
}

fn clear() {
    // Nothing is left to forget while the thread ends.
    let _ = ALL.try_with(RefCell::take);
}
