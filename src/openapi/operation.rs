//! The operation objects of a gate.

use http::Method;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Map, Value, json};

use super::gated_operation::GatedOperation;
use super::security::SourceSchemes;
use super::shared_responses::SharedResponses;
use super::template::PathParameter;
use crate::error::Denial;
use crate::rules::{Accepted, Demand};

/// What the value of a path parameter must not have, because the path would be ambiguous: a slash, a backslash, a `%`
/// and so on in percent-encoded form, or nothing but dots.
const UNAMBIGUOUS: &str = r"^(?!\.{1,2}$)[^/\\%;?#\u0000-\u001f\u007f]+$";

/// The methods that a path item can have (OpenAPI 3.1.1, section "Path Item Object").
pub(super) const METHODS: [Method; 8] = [
    Method::GET,
    Method::PUT,
    Method::POST,
    Method::DELETE,
    Method::OPTIONS,
    Method::HEAD,
    Method::PATCH,
    Method::TRACE,
];

impl GatedOperation<'_> {
    /// Returns the whole operation, for a document of the gate alone.
    pub(super) fn object(
        &self,
        sources: &[SourceSchemes<'_>],
        of_handler: &[&Denial],
        shared: &mut SharedResponses,
    ) -> Value {
        let mut operation = self.facts();
        operation.insert("security".to_owned(), self.security(sources).into());
        let parameters: Vec<Value> = self
            .template
            .parameters
            .iter()
            .map(path_parameter)
            .chain(self.header_parameters())
            .collect();
        if !parameters.is_empty() {
            operation.insert("parameters".to_owned(), parameters.into());
        }
        if let Some(media_type) = self.required_type() {
            let body = json!({ "required": true, "content": { media_type: {} } });
            operation.insert("requestBody".to_owned(), body);
        }
        let mut responses = Map::new();
        for (status, refusal) in self.refusals(of_handler) {
            let reference = shared.reference(&format!("refused-{status}"), refusal);
            responses.insert(status.to_string(), reference);
        }
        let headers = self.added_headers();
        for (key, name, description) in [
            ("2XX", "success", "The service's own response."),
            ("default", "other", "Any other response of the service."),
        ] {
            let mut response = Map::new();
            response.insert("description".to_owned(), description.into());
            if !headers.is_empty() {
                response.insert("headers".to_owned(), headers.clone().into());
            }
            responses.insert(key.to_owned(), shared.reference(name, response.into()));
        }
        operation.insert("responses".to_owned(), responses.into());
        operation.into()
    }

    /// Lists the headers that the gate requires, as parameters. OpenAPI ignores parameters for `Accept`,
    /// `Content-Type` and `Authorization` (3.1.1, section "Parameter Object").
    pub(super) fn header_parameters(&self) -> impl Iterator<Item = Value> {
        let has_words =
            |demand: &&Demand| ![ACCEPT, AUTHORIZATION, CONTENT_TYPE].contains(demand.name());
        self.gate.policy.demands().iter().filter(has_words).map(|demand| {
            let schema = match demand.accepted() {
                Accepted::Present => json!({ "type": "string", "minLength": 1 }),
                Accepted::OneOf(values) => json!({ "type": "string", "enum": values }),
                Accepted::MediaType(media_type) => {
                    json!({ "type": "string", "examples": [media_type] })
                }
                Accepted::Date => json!({ "type": "string", "format": "date" }),
                Accepted::OwnAccount => json!({ "type": "string" }),
            };
            let required = demand.is_required();
            json!({ "name": demand.name().as_str(), "in": "header", "required": required, "schema": schema })
        })
    }

    /// Returns the media type that the body of a request must have.
    pub(super) fn required_type(&self) -> Option<&str> {
        let has_body = [Method::POST, Method::PUT, Method::PATCH].contains(self.request.method());
        let mut demands = self.gate.policy.demands().iter();
        let demand = demands.find(|demand| *demand.name() == CONTENT_TYPE)?;
        match demand.accepted() {
            Accepted::MediaType(media_type) if has_body => Some(media_type),
            _ => None,
        }
    }
}

fn path_parameter(parameter: &PathParameter) -> Value {
    let description = if parameter.is_rest {
        "The rest of the path, which can have more segments than OpenAPI can describe."
    } else {
        "A part of the path."
    };
    json!({
        "name": parameter.name,
        "in": "path",
        "required": true,
        "description": description,
        "schema": { "type": "string", "pattern": UNAMBIGUOUS },
    })
}
