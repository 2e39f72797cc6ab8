//! Writes Persona's responses in the requested case, without blocked attributes.

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tower_api_key::Grant;

use crate::persona::bad_request;
use crate::presentation::{Blocklist, Inflection, present};

/// How to write data for a caller. The request's `Key-Inflection` overrides the key's setting.
pub(crate) struct Style {
    inflection: Option<Inflection>,
    blocklist: Blocklist,
}

impl<S: Sync> FromRequestParts<S> for Style {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let grant = Grant::from_request_parts(parts, state).await;
        let grant = grant.map_err(IntoResponse::into_response)?;
        let metadata = |name| grant.record().metadata(name);
        let inflection = match parts.headers.get("key-inflection") {
            None => metadata("key_inflection").and_then(Inflection::named),
            Some(name) => {
                let named = name.to_str().ok().and_then(Inflection::named);
                let refusal = || bad_request("Key-Inflection must be camel, kebab or snake.");
                Some(named.ok_or_else(refusal)?)
            }
        };
        let blocked = metadata("attribute_blocklist").unwrap_or_default();
        Ok(Self { inflection, blocklist: Blocklist::parse(blocked) })
    }
}

impl Style {
    /// Answers with data.
    pub(crate) fn write(&self, data: Value) -> Response {
        let body = Value::from_iter([("data", data)]);
        Json(present(body, self.inflection, &self.blocklist)).into_response()
    }
}
