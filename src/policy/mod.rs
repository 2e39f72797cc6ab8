//! Policies: rules that keys must follow, for all keys, one account or one kind of keys.
//!
//! This module guards what keys may be issued and how they may be edited. A store keeps each [`KeyPolicy`] beside the
//! keys, and checks it in the transaction of the change. So the rules hold for every way to change a key. A new key or a
//! changed key passes when
//!
//! 1. it has an expiry, if a policy requires one;
//! 2. it expires no later than the longest life after its newest secret was made;
//! 3. it has scopes of its own, and no others than a policy allows;
//! 4. its account has no more keys than a policy allows.
//!
//! All policies that cover a key apply, so the strictest rule decides. A change is checked by the rules for what it
//! changes: a key that broke a rule before can still get another name, fewer scopes, or an expiry within two weeks. A
//! rotation is never refused, but its earlier secrets end [no later](Policies::end_of_earlier) than their longest life
//! allows.
//!
//! Time brings the rest. A sweep asks [`Policies::due`] which keys to switch off because they are not used, which keys get
//! an expiry, and which secrets should be rotated.
//!
//! # Deployment
//!
//! Programs of an earlier release do not know the policies in a database. Save the first policy when all programs that
//! change keys have been updated. A policy takes nothing from keys that exist until a sweep runs.

mod checks;
mod due;
mod key_dates;
mod policies;
#[expect(clippy::module_inception, reason = "the module is named for its main type")]
mod policy;
mod policy_builder;
mod subject;
mod violation;

pub use due::PolicyAction;
pub use key_dates::KeyDates;
pub use policies::Policies;
pub use policy::KeyPolicy;
pub use policy_builder::{InvalidPolicy, KeyPolicyBuilder};
pub use subject::PolicySubject;
pub use violation::PolicyViolation;
