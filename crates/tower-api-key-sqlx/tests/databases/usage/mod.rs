//! Usage in real databases: what is written, read and pruned.

mod reading;
mod support;
