//! The vendors whose profiles ship with the crate, and the standard profile.

use clap::ValueEnum;
use tower_api_key::key::KeyFormat;
use tower_api_key::rules::RouteRow;
use tower_api_key::{Profile, vendors};

/// A vendor, as `--vendor` names it.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Vendor {
    Personyze,
    RestIntegrations,
    Polyteia,
    Persona,
    Polytomic,
    PolytomicOnPremises,
    /// No vendor's, but the profile to begin with. It has no routes, so a valid key may do anything
    Standard,
}

impl Vendor {
    pub(crate) const fn profile(self) -> Profile<'static> {
        match self {
            Self::Personyze => vendors::PERSONYZE,
            Self::RestIntegrations => vendors::REST_INTEGRATIONS,
            Self::Polyteia => vendors::POLYTEIA,
            Self::Persona => vendors::PERSONA,
            Self::Polytomic => vendors::POLYTOMIC,
            Self::PolytomicOnPremises => vendors::POLYTOMIC_ON_PREMISES,
            Self::Standard => Profile::STANDARD,
        }
    }

    /// Returns the format of new keys. The vendor's gate may read other formats, too.
    pub(crate) const fn issued(self) -> KeyFormat<'static> {
        match self {
            Self::Personyze => vendors::personyze::ISSUED,
            Self::RestIntegrations => vendors::rest_integrations::ISSUED,
            Self::Polyteia => vendors::polyteia::ISSUED,
            Self::Persona => vendors::persona::ISSUED,
            Self::Polytomic | Self::PolytomicOnPremises => vendors::polytomic::ISSUED,
            Self::Standard => KeyFormat::STANDARD,
        }
    }

    pub(crate) const fn routes(self) -> &'static [RouteRow<'static>] {
        match self {
            Self::Personyze => vendors::personyze::ROUTES,
            Self::RestIntegrations => vendors::rest_integrations::ROUTES,
            Self::Polyteia => vendors::polyteia::ROUTES,
            Self::Persona => vendors::persona::ROUTES,
            Self::Polytomic | Self::PolytomicOnPremises => vendors::polytomic::ROUTES,
            Self::Standard => &[],
        }
    }
}
