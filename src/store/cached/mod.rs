//! Records kept in memory, in front of a store that is far away.
//!
//! This room guards one number: how long a key may still serve after it was revoked. It is the
//! [staleness](CachedBuilder::staleness), 5 seconds unless set, counted from the instant before the store was
//! asked. A cached record is answered
//!
//! 1. if the store was asked for it less than the staleness ago, by the gate's own clock;
//! 2. if nobody said since that it has changed, where the store [tells](Cached::listen), which makes
//!    that a few milliseconds; when word is lost the number holds all the same;
//! 3. with its own dates: the gate compares expiry and first instant with the clock on every request.
//!
//! While the store is down a record serves until the staleness is over, and no longer unless a
//! [grace](CachedBuilder::grace) is chosen; then requests are answered 503. Keys that no store knows are
//! remembered apart, and for a second, so that random ones neither evict good ones nor take memory.

mod builder;
mod cache;
mod flight;
mod listen;
mod manager;
mod uses;

pub use builder::CachedBuilder;
pub use cache::Cached;
