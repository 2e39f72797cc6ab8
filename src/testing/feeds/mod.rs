//! The promises of a [`KeyFeed`](crate::store::KeyFeed), checked through the changes that a
//! [`KeyManager`](crate::store::KeyManager) makes.

mod histories;
mod managed;
mod promises;
mod reader;
mod reports;
mod support;

pub use managed::ManagedFeed;
pub use promises::{__check_feed, FEED_PROMISES};
