//! The OpenAPI documents of the vendors: what their services do, from files, with what their gates add.

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use serde_json::Value;

use crate::Failure;

/// Reads the document of a vendor's service.
pub(crate) fn read(text: &str) -> Result<Value, Failure> {
    Ok(serde_json::from_str(text)?)
}

/// Serves a document at `/openapi/VENDOR.json`, beside the vendor's gate: anyone may read it.
pub(crate) fn serve<S>(router: Router<S>, vendor: &str, document: &Value) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let text = document.to_string();
    let answer = move || async move { ([(CONTENT_TYPE, "application/json")], text) };
    router.route(&format!("/openapi/{vendor}.json"), get(answer))
}
