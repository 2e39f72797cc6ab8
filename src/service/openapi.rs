//! The OpenAPI description of a layer.

use super::layer::ApiKeyLayer;
use super::options::Limits;
use crate::openapi::{DescribedGate, DescribedLimits, OpenApi};
use crate::quota::OnLimiterFailure;

impl ApiKeyLayer {
    /// Describes the gates of this layer in OpenAPI 3.1: as a document, or in the document of a program.
    ///
    /// Functions of the profile that make bodies or headers are called for the examples, with facts of no real request.
    ///
    /// ```
    /// use tower_api_key::rules::{Route, Routes};
    /// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
    ///
    /// let routes = Routes::new().get("/v1/users", Route::new().all_of(&["users.read"]));
    /// let layer = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new()).routes(routes).build()?;
    ///
    /// let document = layer.openapi().document("Users", "1.4.0")?;
    /// let list = &document["paths"]["/v1/users"]["get"];
    /// assert_eq!(list["responses"]["401"]["$ref"], "#/components/responses/refused-401");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn openapi(&self) -> OpenApi<'_> {
        let shared = &self.shared;
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
            counts_refusals: shared.counted.refusals.is_some(),
            needs_permits: shared.options.on_concurrency_failure == Some(OnLimiterFailure::Deny),
        })
    }
}
