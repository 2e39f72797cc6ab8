//! Quotas: what one is, and the pure counting of requests under it.
//!
//! A [`Quota`] allows a number of requests in a window. It says how they are counted
//! ([`Algorithm`]), whose requests are counted together ([`Per`]), and what happens while the limiter
//! cannot answer ([`OnLimiterFailure`]). [`Counter`] counts them; [`Verdict`] says whether a request
//! passed. This module reads no clock and takes no lock: it is plain functions of a quota, a counter and
//! an instant.

mod algorithm;
mod applied;
pub mod arithmetic;
mod calendar;
mod counter;
mod failure;
mod fixed_window;
mod invalid;
mod leaky_bucket;
#[expect(clippy::module_inception, reason = "the room is named for its main type")]
mod quota;
mod quotas;
mod sliding_window;
mod status;
mod striped_quotas;
mod verdict;

pub use algorithm::{Algorithm, Per, SUBWINDOWS};
pub use applied::AppliedQuotas;
pub(crate) use calendar::window_at;
pub use counter::Counter;
pub use failure::{OnLimiterFailure, Share};
pub use invalid::InvalidQuota;
pub(crate) use leaky_bucket::LeakyBucket;
pub use quota::Quota;
pub use quotas::{MAX_QUOTAS, Quotas};
pub use status::QuotaStatus;
pub(crate) use status::whole_seconds;
pub(crate) use striped_quotas::{HeldQuotas, StripedQuotas};
pub use verdict::Verdict;
