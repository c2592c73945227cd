//! The allocator of modules: [TLSF](http://www.gii.upv.es/tlsf/), which takes and gives back memory in constant time.
//!
//! A filter allocates a handful of small pieces for each request. The standard library's allocator for wasm spends as many instructions on one of them as the rest of a small filter takes: with this one the benchmark's
//! `hooks_check` runs 4590 instructions for each request instead of 8524, and its module is 2.5 KB smaller.

#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();
