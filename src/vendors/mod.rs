//! Five vendors as data: for each, a profile, its documented routes, and a format for issued keys. This
//! module has no logic, and no other module has code for one vendor.
//!
//! This module guards the wire contract. What a vendor documents is copied to the byte. Where its
//! documentation is silent, the vendor's module lists what was chosen. Use struct update to choose
//! otherwise (see [`Profile`]).
//!
//! Unless a vendor's module says otherwise:
//!
//! 1. Two `Authorization` lines are 400 (RFC 6750 §3.1).
//! 2. Plain HTTP is 400 and never a redirect, because the key has already leaked.
//! 3. A store or limiter that cannot answer is 503 with `Retry-After: 5`.
//! 4. Too many failed attempts from one network are 429 with `Retry-After`, as for a quota that is used
//!    up, without any word about an account. No vendor documents this case.
//!
//! Vendors change their documentation, which was read in November 2026. A deployment that replaces a
//! vendor should pin the version of this crate.
//!
//! ```
//! use tower_api_key::rules::Routes;
//! use tower_api_key::{ApiKeyLayer, store::MemoryStore, vendors};
//!
//! let layer = ApiKeyLayer::builder(vendors::POLYTOMIC, MemoryStore::new())
//!     .routes(Routes::new().rows(vendors::polytomic::ROUTES))
//!     .build()?;
//! # Ok::<(), tower_api_key::ConfigError>(())
//! ```

pub mod persona;
pub mod personyze;
pub mod polyteia;
pub mod polytomic;
pub mod rest_integrations;
#[cfg(test)]
mod tests;

use crate::profile::Profile;

/// Answers as Persona documents; [`persona`] has its routes.
pub const PERSONA: Profile = persona::PROFILE;

/// Answers as Personyze documents; [`personyze`] has its routes.
pub const PERSONYZE: Profile = personyze::PROFILE;

/// Answers as Polyteia documents; [`polyteia`] has its routes.
pub const POLYTEIA: Profile = polyteia::PROFILE;

/// Answers as Polytomic's cloud documents; [`polytomic`] has its routes.
pub const POLYTOMIC: Profile = polytomic::PROFILE;

/// Answers as Polytomic on the customer's premises documents; [`polytomic`] has its routes.
pub const POLYTOMIC_ON_PREMISES: Profile = polytomic::ON_PREMISES;

/// Answers as Rest Integrations documents; [`rest_integrations`] has its routes.
pub const REST_INTEGRATIONS: Profile = rest_integrations::PROFILE;

/// The `Retry-After` of an answer while the store or the limiter is down, in seconds.
const OUTAGE_SECONDS: u32 = 5;
