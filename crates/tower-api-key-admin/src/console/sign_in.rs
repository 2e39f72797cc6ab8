//! Signing in and out.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, StatusCode, header};
use tower_api_key::Grant;

use super::frame::Frame;
use super::problem::{self, sentence};
use super::sessions;
use super::shared::Shared;
use super::visit::{Sent, SigningIn};

#[derive(Template)]
#[template(path = "console/sign_in.html")]
struct SignInPage<'a> {
    frame: Frame,
    problem: Option<&'a str>,
}

/// Answers with the form that takes a key.
pub(super) fn page(shared: &Shared, status: StatusCode, problem: Option<&str>) -> Response {
    problem::page(status, &SignInPage { frame: shared.frame(None, None), problem })
}

pub(super) async fn form(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Response {
    let ended = query.as_deref() == Some("ended");
    page(&shared, StatusCode::OK, ended.then_some("Your session has ended. Sign in again."))
}

/// Exchanges the key that the gate has admitted for a session. The session that the browser had ends.
pub(super) async fn sign_in(
    State(shared): State<Arc<Shared>>,
    grant: Grant,
    headers: HeaderMap,
    Extension(SigningIn(key)): Extension<SigningIn>,
) -> Response {
    if let Err(error) = shared.management.caller(&grant) {
        return page(&shared, error.status(), Some(&sentence(&error)));
    }
    let opened = shared.sessions.open(grant.key_id().as_str(), key, shared.management.now()).ok();
    let Some(cookie) = opened.and_then(|session| shared.cookie.set(session.expose())) else {
        let problem = "No session could be made. Try again.";
        return page(&shared, StatusCode::INTERNAL_SERVER_ERROR, Some(problem));
    };
    if let Some(earlier) = shared.cookie.read(&headers) {
        shared.sessions.end(&sessions::digest(earlier));
    }
    let to = Redirect::to(&format!("{}/keys", shared.path));
    ([(header::SET_COOKIE, cookie)], to).into_response()
}

/// Ends the session.
pub(super) async fn sign_out(Sent { visit, .. }: Sent) -> Response {
    let shared = &visit.shared;
    shared.sessions.end(&visit.session);
    let mut response = Redirect::to(&format!("{}/sign-in", shared.path)).into_response();
    if let Some(cookie) = shared.cookie.remove() {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}
