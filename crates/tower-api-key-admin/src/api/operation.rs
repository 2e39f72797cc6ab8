//! One operation: its route and its description, side by side.

use axum::routing::MethodRouter;
use serde_json::{Map, Value, json};

use super::schema;
use crate::management::Management;

/// An operation of the API. The router and the document are made from the same list of operations.
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) handler: MethodRouter<Management>,
    id: &'static str,
    summary: &'static str,
    /// The scopes that every such request needs.
    scopes: Vec<&'static str>,
    description: Option<&'static str>,
    parameters: Vec<Value>,
    body: Option<(&'static str, bool)>,
    answers: Vec<(u16, &'static str, Option<Value>)>,
    problems: Vec<u16>,
    shows_version: bool,
}

impl Operation {
    pub(super) fn new(
        method: &'static str,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
        handler: MethodRouter<Management>,
    ) -> Self {
        let named = path.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
        let parameters = named.map(|(name, _)| {
            json!({
                "name": name, "in": "path", "required": true,
                "schema": { "type": "string", "minLength": 1, "example": "unknown" },
            })
        });
        let parameters: Vec<Value> = parameters.into_iter().collect();
        let problems = if parameters.is_empty() { vec![400] } else { vec![400, 404] };
        Self {
            method,
            path,
            handler,
            id,
            summary,
            scopes: Vec::new(),
            description: None,
            parameters,
            body: None,
            answers: Vec::new(),
            problems,
            shows_version: false,
        }
    }

    /// Names the scope that the caller's key needs.
    pub(super) fn needs(mut self, scope: &'static str) -> Self {
        self.scopes.insert(0, scope);
        self.problems.extend([403, 503]);
        self
    }

    /// Names further scopes that the caller's key needs for every such request.
    pub(super) fn also_needs(mut self, scopes: impl IntoIterator<Item = &'static str>) -> Self {
        self.scopes.extend(scopes);
        self
    }

    /// Describes what the summary leaves out.
    pub(super) fn because(self, description: &'static str) -> Self {
        Self { description: Some(description), ..self }
    }

    pub(super) fn parameters(mut self, parameters: impl IntoIterator<Item = Value>) -> Self {
        self.parameters.extend(parameters);
        self
    }

    /// Names the schema of the body.
    pub(super) fn body(mut self, schema: &'static str) -> Self {
        self.body = Some((schema, false));
        self.problems.extend([413, 415, 422]);
        self
    }

    /// Names the schema of the body, which is a merge patch.
    pub(super) fn patch(self, schema: &'static str) -> Self {
        Self { body: Some((schema, true)), ..self.body(schema) }
    }

    pub(super) fn answer(mut self, status: u16, description: &'static str, schema: Value) -> Self {
        self.answers.push((status, description, Some(schema)));
        self
    }

    pub(super) fn empty_answer(mut self, description: &'static str) -> Self {
        self.answers.push((204, description, None));
        self
    }

    /// Describes an operation whose answers have an ETag.
    pub(super) fn shows_version(self) -> Self {
        Self { shows_version: true, ..self }
    }

    /// Describes an operation that changes something.
    pub(super) fn changes(mut self) -> Self {
        self.parameters.push(header(
            "Idempotency-Key",
            "Makes the change at most once within 24 hours, however often it is sent.",
            "^[!-~]{1,255}$",
            "9f2c1a7e",
        ));
        self.parameters.push(super::key_parameters::parameter(
            "reason",
            "Why, for the trail.",
            schema::text(super::change_body::LONGEST_REASON),
        ));
        self.problems.extend([409, 413, 422]);
        self
    }

    /// Describes an operation that can name the version which it changes.
    pub(super) fn conditional(mut self, required: bool) -> Self {
        let description = "The ETag that was read; `*` for whatever is there.";
        self.parameters.push(header("If-Match", description, "^(\\*|\"[0-9a-f]{32}\")$", "*"));
        self.problems.push(412);
        if required {
            self.problems.push(428);
        }
        self
    }

    /// Describes an operation that can require that there is nothing yet.
    pub(super) fn or_absent(mut self) -> Self {
        self.parameters.push(header("If-None-Match", "`*`: only if there is none.", "^\\*$", "*"));
        self
    }

    pub(super) fn also_fails_with(mut self, statuses: impl IntoIterator<Item = u16>) -> Self {
        self.problems.extend(statuses);
        self
    }

    /// Describes the operation for a document.
    pub(super) fn describe(&self) -> Value {
        let mut responses = Map::new();
        for (status, description, schema) in &self.answers {
            let mut response = json!({ "description": description });
            if let Some(response) = response.as_object_mut() {
                if let Some(schema) = schema {
                    let content = json!({ "application/json": { "schema": schema } });
                    response.insert("content".to_owned(), content);
                }
                if self.shows_version {
                    let tag = json!({ "schema": { "type": "string" }, "required": true, "description": "The version, for If-Match." });
                    response.insert("headers".to_owned(), json!({ "ETag": tag }));
                }
            }
            responses.insert(status.to_string(), response);
        }
        for status in &self.problems {
            let problem = json!({ "$ref": "#/components/responses/Problem" });
            responses.entry(status.to_string()).or_insert(problem);
        }
        let mut operation = json!({
            "operationId": self.id,
            "summary": self.summary,
            "parameters": self.parameters,
            "responses": responses,
        });
        if let Some(operation) = operation.as_object_mut() {
            if let Some(scope) = self.scopes.first() {
                operation.insert("x-required-scope".to_owned(), (*scope).into());
                operation.insert("x-required-scopes".to_owned(), json!(self.scopes));
            }
            if let Some(description) = self.description {
                operation.insert("description".to_owned(), description.into());
            }
            if let Some((name, patch)) = self.body {
                let schema = json!({ "schema": schema::reference(name) });
                let mut content = json!({ "application/json": schema });
                if let (true, Some(content)) = (patch, content.as_object_mut()) {
                    content.insert("application/merge-patch+json".to_owned(), schema);
                }
                let body = json!({ "required": true, "content": content });
                operation.insert("requestBody".to_owned(), body);
            }
        }
        operation
    }
}

fn header(name: &str, description: &str, pattern: &str, example: &str) -> Value {
    json!({
        "name": name, "in": "header", "description": description,
        "schema": { "type": "string", "pattern": pattern, "minLength": 1, "example": example },
    })
}
