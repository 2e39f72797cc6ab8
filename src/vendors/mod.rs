//! The five, as data: one constant for each vendor's front door, and one for its documented
//! routes. There is no logic here, and no vendor's name anywhere else.
//!
//! This room guards the wire contract. What a vendor documents is written down to the byte; where
//! its documentation is silent, the module of the vendor says what was chosen, and struct update
//! changes it (see [`Profile`]). Vendors change their documentation: what stands
//! here was read in November 2026, and a deployment that speaks for one of them should pin the
//! version of this crate.
//!
//! Common to all, unless a vendor says otherwise: two `Authorization` lines are 400 (RFC 6750
//! §3.1); plain HTTP is 400, never a redirect, for the key has leaked by then; a store or limiter
//! that cannot answer is 503 with `Retry-After: 5`; too many failed attempts from one network, of which
//! no vendor speaks, read like a used-up limit: 429 with `Retry-After`, and no word of any account.
//!
//! ```
//! use tower_api_key::rules::Routes;
//! use tower_api_key::{ApiKeyLayer, store::MemoryStore, vendors};
//!
//! let layer = ApiKeyLayer::builder(vendors::POLYTOMIC, MemoryStore::new())
//!     .routes(Routes::new().rows(vendors::polytomic::ROUTES))
//!     .build()?;
//! # assert!(format!("{layer:?}").contains("Polytomic"));
//! # Ok::<(), tower_api_key::ConfigError>(())
//! ```

pub mod persona;
pub mod personyze;
pub mod polyteia;
pub mod polytomic;
pub mod rest_integrations;

use crate::profile::Profile;

/// Answers as Persona documents; [`persona`] has its routes.
pub const PERSONA: Profile<'static> = persona::PROFILE;

/// Answers as Personyze documents; [`personyze`] has its routes.
pub const PERSONYZE: Profile<'static> = personyze::PROFILE;

/// Answers as Polyteia documents; [`polyteia`] has its routes.
pub const POLYTEIA: Profile<'static> = polyteia::PROFILE;

/// Answers as Polytomic's cloud documents; [`polytomic`] has its routes.
pub const POLYTOMIC: Profile<'static> = polytomic::PROFILE;

/// Answers as Polytomic on the customer's premises documents; [`polytomic`] has its routes.
pub const POLYTOMIC_ON_PREMISES: Profile<'static> = polytomic::ON_PREMISES;

/// Answers as Rest Integrations documents; [`rest_integrations`] has its routes.
pub const REST_INTEGRATIONS: Profile<'static> = rest_integrations::PROFILE;

/// The seconds that clients are told to stay away while a store or limiter is down.
const OUTAGE_SECONDS: u32 = 5;

#[cfg(test)]
mod tests {

    use super::*;
    use crate::key::{Issuer, KeyHasher};

    #[test]
    fn every_vendor_reads_the_keys_that_are_issued_for_it() {
        for (profile, issued, environments) in [
            (PERSONYZE, personyze::ISSUED, &[None][..]),
            (REST_INTEGRATIONS, rest_integrations::ISSUED, &[None]),
            (POLYTEIA, polyteia::ISSUED, &[None]),
            (PERSONA, persona::ISSUED, &[Some("sandbox"), Some("production")]),
            (POLYTOMIC, polytomic::ISSUED, &[None]),
            (POLYTOMIC_ON_PREMISES, polytomic::ISSUED, &[None]),
        ] {
            for environment in environments {
                let key = Issuer::new(issued, KeyHasher::sha256()).issue(*environment).unwrap();
                let text = key.expose().as_bytes();
                let format = profile.formats.iter().find(|format| format.matches(text));
                let named = format.unwrap().environment_of(text);
                assert_eq!(named, *environment, "{}", profile.name);
            }
        }
    }
}
