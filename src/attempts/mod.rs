//! Failed authentication: so much of it from one network of clients, in a memory of fixed size.

mod alarms;
mod events;
mod failures;
mod limiter;
mod network;
mod refusals;
mod table;

pub(crate) use alarms::Alarms;
pub(crate) use events::EventLimiter;
pub use failures::FailedAttempts;
pub(crate) use limiter::{Attempt, AttemptLimiter, Reservation};
pub use refusals::RefusedRequests;
