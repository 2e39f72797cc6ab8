//! The shipped profiles that a file can start from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::profile::Profile;
use crate::rules::RouteRow;
use crate::vendors::{self, persona, personyze, polyteia, polytomic, rest_integrations};

/// The name of a shipped profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum BaseName {
    /// The standards' own: no vendor.
    Standard,
    Persona,
    Personyze,
    Polyteia,
    Polytomic,
    PolytomicOnPremises,
    RestIntegrations,
}

impl BaseName {
    pub(in crate::config) const fn profile(self) -> Profile<'static> {
        match self {
            Self::Standard => Profile::STANDARD,
            Self::Persona => vendors::PERSONA,
            Self::Personyze => vendors::PERSONYZE,
            Self::Polyteia => vendors::POLYTEIA,
            Self::Polytomic => vendors::POLYTOMIC,
            Self::PolytomicOnPremises => vendors::POLYTOMIC_ON_PREMISES,
            Self::RestIntegrations => vendors::REST_INTEGRATIONS,
        }
    }

    /// Returns the routes that the vendor documents. The standards have none.
    pub(in crate::config) const fn routes(self) -> &'static [RouteRow<'static>] {
        match self {
            Self::Standard => &[],
            Self::Persona => persona::ROUTES,
            Self::Personyze => personyze::ROUTES,
            Self::Polyteia => polyteia::ROUTES,
            Self::Polytomic | Self::PolytomicOnPremises => polytomic::ROUTES,
            Self::RestIntegrations => rest_integrations::ROUTES,
        }
    }
}
