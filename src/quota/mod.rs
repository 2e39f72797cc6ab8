//! Quotas, and the algorithms that count requests under them.
//!
//! A [`Quota`] allows a number of requests in a window. Its [`Algorithm`] says how they are counted, and
//! [`Per`] whose requests are counted together. [`OnLimiterFailure`] says what happens while the limiter cannot
//! answer.
//!
//! A [`Counter`] counts the requests of one subject, and a [`Verdict`] says whether a request passed. A request
//! passes if every quota that applies to it has room for its cost. This module reads no clock and takes no
//! lock: a counter is a plain function of a quota, its state and an instant. The [limiters](crate::limits) keep
//! the counters.

mod algorithm;
mod applied;
pub mod arithmetic;
mod calendar;
mod counter;
mod failure;
mod fixed_window;
mod invalid;
mod leaky_bucket;
mod network_quotas;
#[expect(clippy::module_inception, reason = "the module is named for its main type")]
mod quota;
mod quotas;
mod sliding_window;
mod spilling_bucket;
mod status;
mod striped_quotas;
mod text;
mod verdict;
mod verdict_facts;

pub use algorithm::{Algorithm, Per, SUBWINDOWS};
pub use applied::AppliedQuotas;
pub(crate) use calendar::window_at;
pub use counter::Counter;
pub use failure::{OnLimiterFailure, Share};
pub use invalid::InvalidQuota;
pub(crate) use leaky_bucket::LeakyBucket;
pub(crate) use network_quotas::network_problem;
pub use quota::Quota;
pub use quotas::{MAX_QUOTAS, Quotas};
pub use status::QuotaStatus;
pub(crate) use status::whole_seconds;
pub(crate) use striped_quotas::{HeldQuotas, StripedQuotas};
pub use verdict::Verdict;
