//! The modules that the benchmark measures are the examples of this crate.
