//! The page that says why something was not done.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;

use super::frame::{Frame, Visitor};
use super::labels;
use super::rules;
use super::shared::Shared;
use crate::management::ManagementError;

/// Renders a template. A template that fails is an error of the program, and never half a page.
pub(super) fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[derive(Template)]
#[template(path = "console/problem.html")]
struct ProblemPage<'a> {
    frame: Frame,
    title: &'a str,
    problem: &'a str,
}

impl Shared {
    /// Answers with a page that says what is wrong.
    pub(super) fn problem(
        &self,
        visitor: Option<Visitor>,
        status: StatusCode,
        problem: &str,
    ) -> Response {
        let frame = self.frame(visitor, None);
        let title = status.canonical_reason().unwrap_or("Not done");
        page(status, &ProblemPage { frame, title, problem })
    }
}

/// What is wrong with a form that was sent, and with which of its fields.
#[derive(Default)]
pub(super) struct FormProblem {
    pub(super) text: Option<String>,
    field: Option<String>,
}

impl FormProblem {
    pub(super) fn of(error: Option<&ManagementError>) -> Self {
        let field = error.and_then(ManagementError::field).map(str::to_owned);
        Self { text: error.map(sentence), field }
    }

    /// Returns true if the problem is with this field.
    pub(super) fn is_at(&self, field: &str) -> bool {
        self.field.as_deref() == Some(field)
    }

    /// Returns the problem with a field; an empty text if there is none.
    pub(super) fn at(&self, field: &str) -> &str {
        self.text.as_deref().filter(|_| self.is_at(field)).unwrap_or_default()
    }
}

/// Returns the text of an error as a sentence.
pub(super) fn sentence(error: &ManagementError) -> String {
    if let ManagementError::PolicyViolated { violation, .. } = error {
        return rules::violation(violation);
    }
    let text = labels::in_text(error.field(), error.to_string());
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
