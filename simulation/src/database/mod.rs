//! A simulated database: keys that exist on paper, the history of their changes, and servers that fail over.

mod feed;
mod keys;
mod listener;
mod server;
mod store;

pub use feed::NodeFeed;
pub use keys::PaperKeys;
pub use listener::Listener;
pub use server::{DATABASE, Database, DatabaseCounts, Failover};
pub use store::NodeStore;
