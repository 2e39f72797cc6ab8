//! The page that says why something was not done.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;

use super::frame::{Frame, Visitor};
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

/// Returns the text of an error as a sentence.
pub(super) fn sentence(error: &ManagementError) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
