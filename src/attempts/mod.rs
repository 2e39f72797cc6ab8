//! Limits on failed authentication, and on the requests of one key that the rules refuse.
//!
//! This module guards keys against guessing, and the service against a stolen key that is tried everywhere.
//! Where [`FailedAttempts`] are limited, the gate looks up the well-formed key of a request if
//!
//! 1. the client's network has room for another failed attempt; or
//! 2. the gate cannot determine the client's address; or
//! 3. [`FailedAttempts::serve_good_keys`] is set.
//!
//! Otherwise the gate refuses the request with 429. [`RefusedRequests`] refuses no request that the rules let
//! pass. It only turns a 403 into a 429.
//!
//! # Deployment
//!
//! Behind a proxy, list the proxy as [trusted](crate::ApiKeyLayerBuilder::trusted_proxies). Otherwise all of
//! its clients count as one network. Each layer counts for itself, in this process alone, in memory of fixed
//! size. [`FailedAttempts::counted_by`] counts failed attempts for all processes together.

mod alarms;
mod attempt;
mod events;
mod failures;
mod limiter;
mod refusals;
mod shared;
mod table;

pub(crate) use alarms::Alarms;
pub(crate) use attempt::{Attempt, Reservation};
pub(crate) use events::EventLimiter;
pub use failures::FailedAttempts;
pub(crate) use limiter::AttemptLimiter;
pub use refusals::RefusedRequests;
pub(crate) use shared::{SharedAttempts, SharedCount, SharedReservation};
