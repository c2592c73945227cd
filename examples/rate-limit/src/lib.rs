//! How much may pass: Mixer's quotas, and what is expected of a limiter today.
#![allow(dead_code)]

mod bucket;
mod quota;
