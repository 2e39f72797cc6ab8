//! Usage in the store's tables: batches are written, questions answered, and old hours rolled up and deleted.

mod position;
mod prune;
mod read;
mod retention;
mod top_keys;
mod usage_rows;
mod write;

pub use retention::UsageRetention;
