//! The decision: the rules in their order, and the proof that they were passed.
//!
//! This room guards the [`Grant`], which nothing else can make. A request is admitted if
//!
//! 1. it has a well-formed key, or needs none, which is decided before any store is asked;
//! 2. the record of the key may do what the request asks, check by check in the order of
//!    [`Check::ALL`];
//! 3. the limiter's verdict lets it pass.
//!
//! A handler that takes a `Grant` cannot be reached without all three. Where a gate is optional,
//! a handler that must know its caller takes `Grant`, not `Option<Grant>`.

mod check;
mod compiled_profile;
mod contradictions;
mod explain;
mod extra_cost;
pub(crate) mod grant;
mod judge;
mod options;
mod policy;
mod quotas;

pub use check::Check;
pub(crate) use compiled_profile::CompiledProfile;
pub use explain::{Explanation, Outcome};
pub use extra_cost::CostError;
pub(crate) use extra_cost::ExtraCost;
pub(crate) use grant::Grant;
pub(crate) use judge::{Case, Cleared, Objection, judge};
pub(crate) use options::PolicyOptions;
pub(crate) use policy::{Admission, Counts, KeyFacts, Policy, Served};
