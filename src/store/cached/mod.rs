//! Records kept in memory, in front of a store that is far away.
//!
//! This room guards one number: how long a key may still serve after it was revoked. It is the
//! [staleness](CachedBuilder::staleness), 5 seconds unless set, counted from the instant before the store was
//! asked. A cached record is answered
//!
//! 1. if the store was asked for it less than the staleness ago, by the gate's own clock, and earlier by
//!    as much as that may [lag](crate::clock::Clock::lag);
//! 2. if nobody said since that its secret or its account has changed, where the store
//!    [tells](Cached::listen), which makes that a few milliseconds; when word is lost the store is asked,
//!    and the number holds all the same;
//! 3. with its own dates: the gate compares expiry and first instant with the clock on every request.
//!
//! While the store cannot answer, a record serves until the staleness is over, and no longer unless a
//! [grace](CachedBuilder::grace) is chosen; then requests are answered 503. The first request waits for its
//! lookup. From a lookup that failed until one that is answered, requests that a record can serve do not
//! wait: the store is asked behind them. One whose secret or account was named serves in no case.
//!
//! An answer is kept unless its secret was named while the store was asked, or its account was; what else
//! changes meanwhile is no matter. A request never waits for a lookup that began before a notice that it
//! came after, if that is about its secret, its account, or everything. Hearing a notice takes the same
//! time however much is kept.
//!
//! Lookups beyond [those at once](CachedBuilder::lookups_at_once) wait in line, first come, first served.
//! Keys that no store knows are remembered apart, and for a second, so that random ones neither evict good
//! ones nor take memory.

mod answer;
mod builder;
mod cache;
mod guard;
mod inner;
mod kept;
mod listen;
mod lookups;
mod manager;
mod notices;
#[cfg(all(test, shuttle))]
mod schedules;
mod settings;
mod under_way;
mod uses;

pub use builder::CachedBuilder;
pub use cache::Cached;
