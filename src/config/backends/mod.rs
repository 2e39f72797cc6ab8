//! What a front door works with: the store of keys and the limiters, and the tables that name them.

#[allow(clippy::module_inception)] // The noun of the file.
mod backends;
mod limiter;
mod redis_login;
mod replica;
mod store;
mod usage;

pub use backends::Backends;
pub use limiter::{LeaseSettings, LimiterSettings};
pub use redis_login::{RedisCertificates, RedisLogin};
pub use replica::ReplicaSettings;
pub use store::{CacheSettings, StoreSettings};
pub use usage::UsageSettings;
