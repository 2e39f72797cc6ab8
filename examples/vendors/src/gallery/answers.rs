//! What the service behind a front door answers: data, as much as the vendor's client needs to succeed.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Method, Request, Response, StatusCode};
use serde_json::Value;

use crate::Failure;

/// The operations of a service.
#[derive(Debug, Clone, Default)]
pub(super) struct CannedAnswers(Vec<Operation>);

/// A method and a path, in which `{name}` stands for any segment, and the answer.
#[derive(Debug, Clone)]
struct Operation {
    method: Method,
    path: String,
    status: StatusCode,
    /// JSON, or nothing.
    body: String,
}

impl CannedAnswers {
    /// Reads operations such as `POST /v3/mail/send 202`, with their answers. Without a status it is 200.
    pub(super) fn new(operations: &BTreeMap<String, Value>) -> Result<Self, Failure> {
        let operation = |(text, answer): (&String, &Value)| -> Result<Operation, Failure> {
            let mut parts = text.split(' ');
            let (method, path) =
                (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            let body = if answer.is_null() { String::new() } else { answer.to_string() };
            Ok(Operation {
                method: method.parse()?,
                path: path.to_owned(),
                status: parts.next().unwrap_or("200").parse()?,
                body,
            })
        };
        operations.iter().map(operation).collect::<Result<_, _>>().map(Self)
    }

    /// Answers a request.
    pub(super) fn answer<B>(&self, request: &Request<B>) -> Response<Body> {
        let asked =
            |it: &&Operation| it.method == request.method() && fits(&it.path, request.uri().path());
        let Some(operation) = self.0.iter().find(asked) else {
            return answer(StatusCode::NOT_FOUND, r#"{"message":"Not found"}"#);
        };
        answer(operation.status, &operation.body)
    }
}

fn answer(status: StatusCode, body: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_owned()));
    *response.status_mut() = status;
    if !body.is_empty() {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    response
}

fn fits(pattern: &str, path: &str) -> bool {
    let (mut expected, mut segments) = (pattern.split('/'), path.split('/'));
    loop {
        match (expected.next(), segments.next()) {
            (None, None) => return true,
            (Some(expected), Some(segment)) if expected.starts_with('{') || expected == segment => {
            }
            _ => return false,
        }
    }
}
