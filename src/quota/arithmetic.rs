//! What an algorithm makes of a quota, for limiters that count elsewhere than in [`Counter`](super::Counter).
//!
//! A limiter whose counters lie on a server needs these numbers to count as the memory limiter does.
//! All lengths are in nanoseconds, and rounded up, so that no limit is ever exceeded.

pub use super::leaky_bucket::{capacity, interval};
pub use super::sliding_window::{PARTS, part_length};
