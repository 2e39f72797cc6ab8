//! The OpenAPI description of a layer.

use super::layer::ApiKeyLayer;
use super::options::Limits;
use crate::openapi::{DescribedGate, DescribedLimits, OpenApi};
use crate::quota::OnLimiterFailure;

impl ApiKeyLayer {
    /// Describes the gates of this layer in OpenAPI 3.1.
    pub fn openapi(&self) -> OpenApi<'_> {
        let shared = self.shared();
        let limits = match shared.options.limits {
            Limits::Counted(..) => DescribedLimits::Counted,
            Limits::Unset => DescribedLimits::Unset,
            Limits::Off => DescribedLimits::Off,
        };
        OpenApi::new(DescribedGate {
            policy: &shared.policy,
            renderer: &shared.renderer,
            name: &shared.name,
            limits,
            counts_refusals: shared.refusals.is_some(),
            needs_permits: shared.options.on_concurrency_failure == OnLimiterFailure::Deny,
        })
    }
}
