//! Problem documents (RFC 9457).

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::schema;
use crate::management::ManagementError;

/// The answer to a request that was not done.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    field: Option<String>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), field: None }
    }

    /// Describes a request that cannot be read.
    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", detail)
    }

    /// Describes a gate that is missing, which is a mistake of the program.
    pub(crate) fn no_gate() -> Self {
        let detail = "no gate wraps this router: put one around it";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "no-gate", detail)
    }

    pub(crate) async fn unknown_path() -> Self {
        Self::new(StatusCode::NOT_FOUND, "unknown-path", "there is no such path")
    }

    pub(crate) async fn unknown_method() -> Self {
        let detail = "the path has no such method: see the header Allow";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "unknown-method", detail)
    }

    pub(super) fn schema() -> Value {
        let text = schema::text(2_000);
        schema::view(json!({
            "type": { "type": "string", "description": "A URN that ends with `code`." },
            "title": text,
            "status": { "type": "integer" },
            "detail": { "type": "string", "description": "What is wrong and the remedy, for people." },
            "code": { "type": "string", "description": "The reason, for programs." },
            "field": { "type": "string", "description": "The field or parameter that is wrong." },
        }))
    }
}

impl From<ManagementError> for Problem {
    fn from(error: ManagementError) -> Self {
        let field = error.field().map(str::to_owned);
        Self { field, ..Self::new(error.status(), error.code(), error.to_string()) }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, code, detail, field } = self;
        let mut body = json!({
            "type": format!("urn:tower-api-key:problem:{code}"),
            "title": status.canonical_reason().unwrap_or_default(),
            "status": status.as_u16(),
            "detail": detail,
            "code": code,
        });
        if let (Some(field), Some(body)) = (field, body.as_object_mut()) {
            body.insert("field".to_owned(), field.into());
        }
        let kind = HeaderValue::from_static("application/problem+json");
        let headers = [
            (header::CONTENT_TYPE, kind),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        let mut response = (status, headers, body.to_string()).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}
