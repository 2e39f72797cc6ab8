//! The numbers that the algorithms derive from a quota, for limiters that do not use
//! [`Counter`](super::Counter).
//!
//! A limiter whose counters lie on a server needs these numbers to count exactly as
//! [`MemoryLimiter`](crate::limits::MemoryLimiter) does. All lengths are in nanoseconds, and rounded up, so
//! that no limit is ever exceeded.

pub use super::leaky_bucket::{capacity, interval};
pub use super::sliding_window::{PARTS, part_length};
