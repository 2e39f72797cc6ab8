//! A refusal that is rendered, before it becomes a response.

use bytes::Bytes;
use http::{Extensions, HeaderMap, Response, StatusCode};

use super::facts::RefusalFacts;
use super::form::AnswerForm;
use super::grpc;
use super::limit_headers::write_retry_after;
use super::renderer::Renderer;
use super::taken_names::used_elsewhere;
use crate::profile::Refusal;

/// The parts of a refusal. They become a response in one step, with the body that the caller needs: a response whose body
/// is changed afterwards is copied twice.
#[must_use]
pub(crate) struct RefusalParts {
    status: StatusCode,
    headers: HeaderMap,
    content: Bytes,
    extensions: Extensions,
}

impl RefusalParts {
    /// Makes the response, with a body of the content.
    #[inline]
    pub(crate) fn into_response<B>(self, body: impl FnOnce(Bytes) -> B) -> Response<B> {
        let Self { status, headers, content, extensions } = self;
        let mut response = Response::new(body(content));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        *response.extensions_mut() = extensions;
        response
    }
}

impl Renderer {
    /// Renders a refusal. The answer to `HEAD` has the same headers and no content.
    pub(crate) fn refuse(&self, facts: &RefusalFacts<'_>) -> Response<Bytes> {
        self.render(facts, Extensions::new()).into_response(|content| content)
    }

    /// Renders a refusal with these extensions, which are empty.
    pub(crate) fn render(
        &self,
        facts: &RefusalFacts<'_>,
        mut extensions: Extensions,
    ) -> RefusalParts {
        let denial = facts.denial;
        let row = self.answers.get(facts.table).row(denial).of(facts);
        let (mut headers, is_grpc) = row.begin(facts.form, self.body.is_some());
        let made = self.body.as_ref().and_then(|body| body.make(&row.refusal(facts)));
        let is_made = made.is_some();
        let body = row.write_body(&mut headers, facts, made);
        row.write_headers(&mut headers, facts, |name| {
            let ids = self.request_ids.as_ref();
            used_elsewhere(name, &self.limit_headers, &self.principal, ids).is_some()
        });
        row.name_scopes(&mut headers, denial);
        if let Some(authenticated) = &facts.authenticated {
            self.mark(&mut headers, authenticated);
        }
        let wait = row.retry_after(denial);
        if let Some(seconds) = wait {
            write_retry_after(&mut headers, seconds);
        }
        let (status, content) = match facts.form {
            AnswerForm::Full => (row.status, body.content.clone()),
            AnswerForm::HeadersOnly => (row.status, Bytes::new()),
            AnswerForm::Grpc => {
                let message = row.grpc_message(&body, is_made, facts);
                if !is_grpc {
                    grpc::write(&mut headers, row.grpc_code, &message);
                }
                grpc::write_details(&mut headers, row.grpc_code, &message, wait);
                (StatusCode::OK, Bytes::new())
            }
        };
        extensions.insert(denial.clone());
        let id = facts.request.and_then(|request| request.id.as_ref());
        if let (Some(id), Some(ids)) = (id, &self.request_ids) {
            ids.write_header(&mut headers, id);
            extensions.insert(id.clone());
        }
        RefusalParts { status, headers, content, extensions }
    }

    /// Returns the facts of a refusal, as its row answers it.
    pub(crate) fn facts<'a>(&'a self, facts: &RefusalFacts<'a>) -> Refusal<'a> {
        self.answers.get(facts.table).row(facts.denial).of(facts).refusal(facts)
    }
}
