//! The allocator of modules: small pieces are kept in a list for each size, and used again; the rest is the standard library's, which is in every module anyway.
//!
//! A filter allocates a handful of small pieces for each request, the same ones each time. With the standard library's allocator alone a request took 8524 instructions in the benchmark's `hooks_check`; the lists take 80 for a
//! piece that is taken and given back.

#![allow(unsafe_code, reason = "an allocator")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    ptr::{self, NonNull},
};

/// What the sizes of the lists are multiples of.
const STEP: usize = 16;

/// What their pieces are aligned to: more would have the standard library's allocator go out of its way.
const ALIGN: usize = 8;

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
    // SAFETY: `ALIGN` is a power of two, and the size that of a list's pieces.
    unsafe { Layout::from_size_align_unchecked(layout.size().next_multiple_of(STEP).max(STEP), ALIGN) }
}

// === impl Allocator ===

impl Allocator {
    const fn new() -> Self {
        Self { lists: [const { List { first: Cell::new(None), length: Cell::new(0) } }; LISTS] }
    }

    /// The list for such pieces.
    fn list(&self, layout: Layout) -> Option<&List> {
        self.lists.get(layout.size().wrapping_sub(1) / STEP).filter(|_| layout.align() <= ALIGN)
    }
}

// SAFETY: a piece is handed out once until it is given back. A list holds pieces that the rest has allocated with the list's own layout.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match self.list(layout) {
            Some(list) => match list.take() {
                Some(free) => free.as_ptr().cast(),
                // SAFETY: its size is not zero.
                None => unsafe { System.alloc(whole(layout)) },
            },
            // SAFETY: as the caller's.
            None => unsafe { large::alloc(layout) },
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
                    unsafe { System.dealloc(memory, whole(layout)) }
                }
            }
            // SAFETY: as the caller's.
            None => unsafe { large::dealloc(memory, layout) },
        }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller vouches for the new size.
        let new = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        if let (Some(old), Some(new)) = (self.list(layout), self.list(new))
            && ptr::eq(old, new)
        {
            return memory;
        }
        // Not the standard library's: for what it would save in a few large pieces, it takes 3 KB of every module.
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

/// What the lists do not have: large pieces, and those that must be aligned to more than [`ALIGN`].
///
/// The latter lie in a piece that is longer by their alignment, behind the address of that piece: what the standard library would do for them is in no module then.
mod large {
    use super::{ALIGN, GlobalAlloc, Layout, System};

    /// The layout of the piece that one of this layout lies in.
    fn around(layout: Layout) -> Layout {
        let margin = if layout.align() <= ALIGN { 0 } else { layout.align() };
        // SAFETY: `ALIGN` is a power of two; a size that is nearly all of the address space is refused by whoever allocates it.
        unsafe { Layout::from_size_align_unchecked(layout.size().saturating_add(margin).max(ALIGN), ALIGN) }
    }

    /// # Safety
    ///
    /// As for [`GlobalAlloc::alloc`].
    pub(super) unsafe fn alloc(layout: Layout) -> *mut u8 {
        // SAFETY: as the caller's.
        let memory = unsafe { System.alloc(around(layout)) };
        if layout.align() <= ALIGN || memory.is_null() {
            return memory;
        }
        // At least `ALIGN` bytes, and at most all of the margin: a piece is aligned to `ALIGN`.
        let skipped = layout.align() - memory.addr() % layout.align();
        // SAFETY: within the margin, and with room for the address before it.
        unsafe {
            let aligned = memory.add(skipped);
            aligned.cast::<*mut u8>().sub(1).write(memory);
            aligned
        }
    }

    /// # Safety
    ///
    /// As for [`GlobalAlloc::dealloc`], for a piece of [`alloc`].
    pub(super) unsafe fn dealloc(memory: *mut u8, layout: Layout) {
        // SAFETY: `alloc` has put it there.
        let whole = if layout.align() <= ALIGN { memory } else { unsafe { memory.cast::<*mut u8>().sub(1).read() } };
        // SAFETY: `alloc` has it from there, with this layout.
        unsafe { System.dealloc(whole, around(layout)) };
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
                _ => pieces.push(Piece::new(&allocator, size, 1 << random(9), step as u8)),
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
