//! The allocator of modules: small pieces are kept in a list for each size, and used again; the rest is
//! [TLSF](http://www.gii.upv.es/tlsf/), which takes and gives back memory in constant time.
//!
//! A filter allocates a handful of small pieces for each request, the same ones each time. In the benchmark's `hooks_check` a request took 8524 instructions
//! with the standard library's allocator for wasm, 4590 with TLSF in its place; the lists before it took another 720 off a request that had come to 2877.

#![allow(unsafe_code, reason = "an allocator")]

use std::{
    alloc::{GlobalAlloc, Layout},
    cell::Cell,
    ptr::{self, NonNull},
};

/// What the sizes of the lists are multiples of, and what all pieces are aligned to.
const STEP: usize = 16;

/// The last list is of pieces of so many steps.
const LISTS: usize = 32;

/// How many free pieces a list keeps: the others can be joined to larger ones.
const KEPT: usize = 64;

#[cfg_attr(target_family = "wasm", global_allocator)]
#[cfg_attr(test, allow(dead_code, reason = "the tests have allocators of their own"))]
static ALLOCATOR: Allocator = Allocator::new();

struct Allocator {
    /// The pieces of 16 bytes, of 32, and so on.
    lists: [List; LISTS],
    rest: rlsf::SmallGlobalTlsf,
}

struct List {
    first: Cell<Option<NonNull<Free>>>,
    length: Cell<usize>,
}

/// What a free piece begins with.
struct Free {
    next: Option<NonNull<Free>>,
}

// SAFETY: modules have one thread, and the allocator calls nothing that could call it.
unsafe impl Sync for Allocator {}

/// The layout of the pieces that such a piece is kept with.
fn whole(layout: Layout) -> Layout {
    // SAFETY: `STEP` is a power of two, and the size that of a list's pieces.
    unsafe { Layout::from_size_align_unchecked(layout.size().next_multiple_of(STEP), STEP) }
}

// === impl Allocator ===

impl Allocator {
    const fn new() -> Self {
        Self { lists: [const { List { first: Cell::new(None), length: Cell::new(0) } }; LISTS], rest: rlsf::SmallGlobalTlsf::new() }
    }

    /// The list for such pieces.
    fn list(&self, layout: Layout) -> Option<&List> {
        self.lists.get(layout.size().wrapping_sub(1) / STEP).filter(|_| layout.align() <= STEP)
    }
}

// SAFETY: a piece is handed out once until it is given back. A list holds pieces that the rest has allocated with the list's own layout.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match self.list(layout) {
            Some(list) => match list.take() {
                Some(free) => free.as_ptr().cast(),
                // SAFETY: its size is not zero.
                None => unsafe { self.rest.alloc(whole(layout)) },
            },
            // SAFETY: as the caller's.
            None => unsafe { self.rest.alloc(layout) },
        }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        match self.list(layout) {
            Some(list) => {
                if list.length.get() < KEPT
                    && let Some(free) = NonNull::new(memory.cast())
                {
                    // SAFETY: the caller's, who gives it back, and large enough.
                    unsafe { list.put(free) }
                } else {
                    // SAFETY: `alloc` has it from there, with this layout.
                    unsafe { self.rest.dealloc(memory, whole(layout)) }
                }
            }
            // SAFETY: as the caller's.
            None => unsafe { self.rest.dealloc(memory, layout) },
        }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller vouches for the new size.
        let new = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        match (self.list(layout), self.list(new)) {
            (Some(old), Some(new)) if ptr::eq(old, new) => memory,
            // SAFETY: as the caller's.
            (None, None) => unsafe { self.rest.realloc(memory, layout, new_size) },
            _ => {
                // SAFETY: as the caller's.
                let moved = unsafe { self.alloc(new) };
                if !moved.is_null() {
                    // SAFETY: two pieces, both at least as long as what is copied.
                    unsafe { ptr::copy_nonoverlapping(memory, moved, layout.size().min(new_size)) };
                    // SAFETY: as the caller's.
                    unsafe { self.dealloc(memory, layout) };
                }
                moved
            }
        }
    }
}

// === impl List ===

impl List {
    fn take(&self) -> Option<NonNull<Free>> {
        let free = self.first.get()?;
        // SAFETY: it was put there, and not taken since.
        self.first.set(unsafe { free.as_ref() }.next);
        self.length.set(self.length.get() - 1);
        Some(free)
    }

    /// # Safety
    ///
    /// Nobody else has the piece, which is aligned and large enough for [`Free`].
    unsafe fn put(&self, free: NonNull<Free>) {
        // SAFETY: as the caller's.
        unsafe { free.write(Free { next: self.first.get() }) };
        self.first.set(Some(free));
        self.length.set(self.length.get() + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A piece that is in use, filled with one byte.
    struct Piece {
        memory: NonNull<u8>,
        layout: Layout,
        fill: u8,
    }

    impl Piece {
        fn new(allocator: &Allocator, size: usize, align: usize, fill: u8) -> Self {
            let layout = Layout::from_size_align(size, align).unwrap();
            let memory = NonNull::new(unsafe { allocator.alloc(layout) }).unwrap();
            let piece = Self { memory, layout, fill };
            piece.fill();
            piece
        }

        fn fill(&self) {
            assert_eq!(self.memory.addr().get() % self.layout.align(), 0, "{:?}", self.layout);
            unsafe { self.memory.write_bytes(self.fill, self.layout.size()) };
        }

        fn check(&self, size: usize) {
            let bytes = unsafe { std::slice::from_raw_parts(self.memory.as_ptr(), size) };
            assert!(bytes.iter().all(|byte| *byte == self.fill), "{:?}", self.layout);
        }

        fn resize(&mut self, allocator: &Allocator, size: usize) {
            let memory = unsafe { allocator.realloc(self.memory.as_ptr(), self.layout, size) };
            self.memory = NonNull::new(memory).unwrap();
            self.check(size.min(self.layout.size()));
            self.layout = Layout::from_size_align(size, self.layout.align()).unwrap();
            self.fill();
        }

        fn free(self, allocator: &Allocator) {
            self.check(self.layout.size());
            unsafe { allocator.dealloc(self.memory.as_ptr(), self.layout) };
        }
    }

    #[test]
    fn pieces_of_all_sizes_keep_what_is_written_to_them() {
        let allocator = Allocator::new();
        let mut pieces: Vec<Piece> = Vec::new();
        let mut state = 1_u64;
        let mut random = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as usize % below
        };
        for step in 0..20_000 {
            let size = if random(8) == 0 { 1 + random(5000) } else { 1 + random(600) };
            match random(3) {
                0 if pieces.len() > 300 => pieces.swap_remove(random(pieces.len())).free(&allocator),
                1 if !pieces.is_empty() => {
                    let index = random(pieces.len());
                    pieces[index].resize(&allocator, size);
                }
                _ => pieces.push(Piece::new(&allocator, size, 1 << random(7), step as u8)),
            }
        }
        pieces.into_iter().for_each(|piece| piece.free(&allocator));
    }

    #[test]
    fn a_piece_is_used_again() {
        let allocator = Allocator::new();
        let piece = Piece::new(&allocator, 40, 8, 1);
        let memory = piece.memory;
        piece.free(&allocator);
        assert_eq!(Piece::new(&allocator, 48, 4, 2).memory, memory);
        assert_ne!(Piece::new(&allocator, 49, 4, 3).memory, memory);
    }

    #[test]
    fn a_list_keeps_so_many_pieces_and_no_more() {
        let allocator = Allocator::new();
        let pieces: Vec<_> = (0..KEPT + 10).map(|_| Piece::new(&allocator, 16, 1, 0)).collect();
        pieces.into_iter().for_each(|piece| piece.free(&allocator));
        assert_eq!(allocator.lists[0].length.get(), KEPT);
    }
}
