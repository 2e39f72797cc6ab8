//! Answers that several operations share. Caches store none of them.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::json;
use tower_api_key::store::Version;

use crate::management::Listed;

/// Returns the headers of every answer: caches must not store it.
pub(super) fn no_store() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers
}

/// Returns the headers of an answer that shows a version.
pub(super) fn with_version(version: Version) -> HeaderMap {
    let mut headers = no_store();
    if let Ok(tag) = HeaderValue::try_from(format!("\"{version}\"")) {
        headers.insert(header::ETAG, tag);
    }
    headers
}

/// Answers with something and its version.
pub(super) fn shown(status: StatusCode, version: Version, view: impl Serialize) -> Response {
    (status, with_version(version), Json(view)).into_response()
}

/// Answers with one page of a list.
pub(super) fn page<T, V: Serialize>(listed: Listed<T>, view: impl Fn(&T) -> V) -> Response {
    let Listed { found, broken, next } = listed;
    let data: Vec<V> = found.iter().map(view).collect();
    let broken = broken.iter().map(|row| json!({ "id": row.id, "problem": row.problem }));
    let broken: Vec<_> = broken.collect();
    let body = json!({ "data": data, "broken": broken, "next": next });
    (no_store(), Json(body)).into_response()
}

/// Answers with a whole list.
pub(super) fn data<V: Serialize>(data: impl IntoIterator<Item = V>) -> Response {
    let data: Vec<V> = data.into_iter().collect();
    (no_store(), Json(json!({ "data": data }))).into_response()
}

/// Answers that something is deleted.
pub(super) fn deleted() -> Response {
    (StatusCode::NO_CONTENT, no_store()).into_response()
}
