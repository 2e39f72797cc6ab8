//! The arguments of handlers: who visits a page, and which form was sent.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use tower_api_key::Grant;
use tower_api_key::key::{KeyDigest, KeyHasher};

use super::fields::Fields;
use super::frame::{Frame, Section, Visitor};
use super::problem::sentence;
use super::shared::Shared;
use crate::management::{Caller, ManagementError};

/// The session of a request, by the digest of its text.
#[derive(Debug, Clone, Copy)]
pub(super) struct SessionId(pub(super) KeyDigest);

/// The digests of the key that signs in, by each pepper of the keyring.
#[derive(Debug, Clone)]
pub(super) struct SigningIn(pub(super) Arc<[KeyDigest]>);

/// A visit of a signed-in person. The gate of pages has admitted the key of the session.
pub(super) struct Visit {
    pub(super) shared: Arc<Shared>,
    pub(super) caller: Caller,
    pub(super) session: KeyDigest,
    form_token: String,
}

impl Visit {
    pub(super) fn visitor(&self) -> Visitor {
        let name = self.caller.record().name();
        Visitor {
            account: self.caller.account().to_string(),
            key: if name.is_empty() { self.caller.key_id() } else { name }.to_owned(),
            sections: Section::of(&self.caller),
            changes_keys: self.caller.check_key_changes().is_ok(),
            changes_accounts: self.caller.check_account_changes().is_ok(),
            saves_policies: self.caller.check_policy_saves().is_ok(),
            form_token: self.form_token.clone(),
        }
    }

    /// Answers that an operation was not done.
    pub(super) fn refused(&self, error: &ManagementError) -> Response {
        self.problem(error.status(), &sentence(error))
    }

    /// Answers with a page that says what is wrong.
    pub(super) fn problem(&self, status: StatusCode, problem: &str) -> Response {
        self.shared.problem(Some(self.visitor()), status, problem)
    }

    /// Returns what a page has around its content.
    pub(super) fn frame(&self, section: impl Into<Option<Section>>) -> Frame {
        self.shared.frame(self.visitor(), section)
    }
}

impl FromRequestParts<Arc<Shared>> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Response> {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        let broken = || shared.problem(None, status, "This page has no gate.");
        let session = parts.extensions.get::<SessionId>().ok_or_else(broken)?.0;
        let grant = parts.extensions.get::<Grant>().ok_or_else(broken)?;
        let caller = shared.management.caller(grant).map_err(|error| {
            let problem = sentence(&error);
            shared.problem(None, error.status(), &problem)
        })?;
        let ended = || shared.problem(None, StatusCode::UNAUTHORIZED, "Your session has ended.");
        let form_token = shared.sessions.form_token(&session).ok_or_else(ended)?;
        Ok(Self { shared: Arc::clone(shared), caller, session, form_token })
    }
}

/// A form that a page of the visitor's session has sent. A handler that changes something takes it.
pub(super) struct Sent {
    pub(super) visit: Visit,
    pub(super) fields: Fields,
}

impl FromRequest<Arc<Shared>> for Sent {
    type Rejection = Response;

    async fn from_request(request: Request, shared: &Arc<Shared>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let visit = Visit::from_request_parts(&mut parts, shared).await?;
        let request = Request::from_parts(parts, body);
        let fields = Fields::read(request).await;
        let fields = fields.map_err(|(status, problem)| visit.problem(status, problem))?;
        // Digests are compared, so the time shows nothing of the text.
        let digest = |text: &str| KeyHasher::sha256().digest(text.as_bytes());
        if digest(fields.text("form_token")) != digest(&visit.form_token) {
            let problem =
                "This form belongs to another session. Open the page again, and send it anew.";
            return Err(visit.problem(StatusCode::FORBIDDEN, problem));
        }
        Ok(Self { visit, fields })
    }
}
