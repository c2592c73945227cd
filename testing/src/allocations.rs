//! Allocations of filters, counted natively: those of the host on the same thread are not theirs.

#![allow(unsafe_code, reason = "a global allocator is an unsafe trait")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

thread_local! {
    static IN_FILTER: Cell<bool> = const { Cell::new(false) };
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, counting what filters allocate: see [`Costs::allocations`](crate::Costs::allocations).
///
/// ```
/// #[global_allocator]
/// static ALLOCATOR: inproxy_test::CountingAllocator = inproxy_test::CountingAllocator;
/// # fn main() {}
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct CountingAllocator;

/// While it lives, allocations of this thread are, or are not, a filter's.
pub(crate) struct Side(bool);

// === impl Side ===

impl Side {
    pub(crate) fn filter() -> Self {
        Self(IN_FILTER.replace(true))
    }

    pub(crate) fn host() -> Self {
        Self(IN_FILTER.replace(false))
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        IN_FILTER.set(self.0);
    }
}

/// How often filters have allocated in this thread.
pub(crate) fn count() -> u64 {
    COUNT.get()
}

fn note() {
    // Nothing is counted while the thread ends.
    if IN_FILTER.try_with(Cell::get) == Ok(true) {
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
    }
}

// === impl CountingAllocator ===

// SAFETY: all is left to the system's allocator; counting does not allocate.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // To give memory back is no allocation.
        if size > layout.size() {
            note();
        }
        // SAFETY: the caller's promise.
        unsafe { System.realloc(at, layout, size) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(at, layout) }
    }
}
