//! The router of the management API.

use std::sync::Arc;

use axum::Router;
use axum::extract::OriginalUri;
use axum::routing::get;
use http::header;
use serde_json::Value;

use super::asking::Asking;
use super::document::document;
use super::operation::Operation;
use super::problem::Problem;
use super::{
    account_routes, counter_routes, key_routes, names_routes, policy_routes, trail_routes,
    usage_routes,
};
use crate::management::Management;

/// The management API over a [`Management`].
///
/// ```
/// use axum::Router;
/// use tower_api_key::ApiKeyLayer;
/// use tower_api_key_admin::ManagementApi;
/// use tower_api_key_admin::management::Management;
///
/// fn app(gate: ApiKeyLayer, management: &Management) -> Router {
///     let staff = ManagementApi::new(management.clone()).router();
///     let customers = ManagementApi::new(management.for_owners()).router();
///     Router::new().nest("/manage", staff).nest("/v1/own", customers).layer(gate)
/// }
/// ```
#[derive(Debug, Clone)]
pub struct ManagementApi {
    management: Management,
    document: Option<Arc<str>>,
}

impl ManagementApi {
    /// Returns the API over a management.
    pub const fn new(management: Management) -> Self {
        Self { management, document: None }
    }

    /// Returns the OpenAPI 3.1 document of the API below a path: `""` for none.
    ///
    /// The document does not know the gate. With the feature `openapi` of `tower-api-key`,
    /// `ApiKeyLayer::openapi().merged(&document)` adds its security and its refusals. Serve the result with
    /// [`serving_document`](Self::serving_document).
    pub fn document(&self, mount: &str) -> Value {
        document(&operations(), mount)
    }

    /// Sets the document that `GET /openapi.json` answers with. Unless set, it is [`document`](Self::document) with the
    /// path at which the router is mounted.
    #[must_use]
    pub fn serving_document(self, document: &Value) -> Self {
        Self { document: Some(document.to_string().into()), ..self }
    }

    /// Returns the router, to be layered with a gate, or nested in a router that is.
    pub fn router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        let Self { management, document } = self;
        let served = get(move |_: Asking, OriginalUri(uri): OriginalUri| async move {
            let text = document.unwrap_or_else(|| {
                let mount = uri.path().strip_suffix("/openapi.json").unwrap_or_default();
                self::document(&operations(), mount).to_string().into()
            });
            let headers =
                [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
            (headers, text.to_string())
        });
        let router = Router::new().route("/openapi.json", served);
        let router = operations()
            .into_iter()
            .fold(router, |router, operation| router.route(operation.path, operation.handler));
        router
            .fallback(|| async { Problem::unknown_path() })
            .method_not_allowed_fallback(|| async { Problem::unknown_method() })
            .with_state(management)
    }
}

/// Lists all operations.
fn operations() -> Vec<Operation> {
    let mut all = key_routes::operations();
    all.extend(account_routes::operations());
    all.extend(policy_routes::operations());
    all.extend(names_routes::operations());
    all.extend(trail_routes::operations());
    all.extend(usage_routes::operations());
    all.extend(counter_routes::operations());
    all
}
