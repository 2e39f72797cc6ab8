//! Usage in real databases: what is written, read and pruned.

mod crash;
mod lost_answer;
mod million;
mod pruning;
mod reading;
mod support;
mod writing;

pub(crate) use writing::writes_and_reads;
