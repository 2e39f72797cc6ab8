//! The decision about a request: its checks, their order, and the [`Grant`] that proves that it passed.
//!
//! This module guards the grant: only a gate can make one, and in unit tests the feature `testing`. A request
//! passes a gate if
//!
//! 1. it came over HTTPS, and has one well-formed key or needs none; the gate decides this before it asks
//!    the store;
//! 2. the key's record passes every check, in the order of [`Check::ALL`];
//! 3. the quotas have room for the request, and its route has a permit for it.
//!
//! A handler that takes a `Grant` runs only after all three, for a request with a key. Behind an
//! [optional](crate::ApiKeyLayerBuilder::optional) gate a handler that takes `Option<Grant>` also runs for
//! anonymous requests. Take `Grant` wherever the handler must know its caller.

mod anonymous;
mod check;
mod compiled_profile;
mod contradictions;
#[cfg(feature = "openapi")]
mod described;
mod explain;
mod extra_cost;
mod forward_auth;
mod gate_decision;
pub(crate) mod grant;
mod judge;
mod masked_key;
mod observed_request;
mod observed_wait;
mod options;
mod outcome;
mod peppers;
mod policy;
mod quotas;
mod request_counter;
mod request_decision;
mod request_end;
mod scope_finding;

pub use check::Check;
pub(crate) use compiled_profile::CompiledProfile;
pub use explain::Explanation;
pub use extra_cost::CostError;
pub(crate) use extra_cost::{CostChange, ExtraCost};
pub use gate_decision::GateDecision;
pub(crate) use grant::Grant;
pub(crate) use judge::{Case, Cleared, Objection, judge};
pub use observed_request::ObservedRequest;
pub use observed_wait::{ObservedWait, WaitOutcome, WaitTarget};
pub(crate) use options::{Counts, PolicyOptions, Served};
pub use outcome::Outcome;
pub(crate) use policy::{Admission, KeyFacts, Policy};
pub(crate) use request_counter::CounterOfLayer;
#[cfg(feature = "metrics")]
pub(crate) use request_counter::RequestCounter;
pub use request_decision::RequestDecision;
pub use request_end::RequestEnd;
pub use scope_finding::ScopeFinding;
