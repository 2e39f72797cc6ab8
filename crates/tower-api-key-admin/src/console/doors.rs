//! What happens around the gates: requests become those that a gate reads, and refusals become pages.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use tower_api_key::Denial;

use super::fields::Fields;
use super::origin;
use super::sessions;
use super::shared::Shared;
use super::sign_in;
use super::visit::{SessionId, SigningIn};

/// Gives the gate the session of the cookie in place of a key. A key in the request itself does not count.
pub(super) async fn with_session(
    State(shared): State<Arc<Shared>>,
    mut request: Request,
    next: Next,
) -> Response {
    if !origin::is_own(request.method(), request.headers()) {
        let problem = "Forms are accepted from pages of this console only.";
        return shared.problem(None, StatusCode::FORBIDDEN, problem);
    }
    let session = shared.cookie.read(request.headers());
    let session = session.and_then(|text| Some((SessionId(sessions::digest(text)), bearer(text)?)));
    let signed_in = session.is_some();
    request.headers_mut().remove(header::AUTHORIZATION);
    if let Some((id, bearer)) = session {
        request.extensions_mut().insert(id);
        request.headers_mut().insert(header::AUTHORIZATION, bearer);
    }
    let response = next.run(request).await;
    if response.extensions().get::<Denial>().is_none() {
        return response;
    }
    // A cookie that is no session's is malformed for the gate. The sign-in replaces it.
    let unknown = [StatusCode::UNAUTHORIZED, StatusCode::BAD_REQUEST].contains(&response.status());
    if !unknown || is_insecure(&response) {
        return refusal(&shared, &response);
    }
    let query = if signed_in { "?ended" } else { "" };
    let mut response = Redirect::to(&format!("{}/sign-in{query}", shared.path)).into_response();
    if let Some(cookie) = shared.cookie.remove().filter(|_| signed_in) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// Gives the gate the key of the form.
pub(super) async fn with_key(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    if !origin::is_own(request.method(), request.headers()) {
        let problem = "Forms are accepted from pages of this console only.";
        return shared.problem(None, StatusCode::FORBIDDEN, problem);
    }
    let (mut parts, body) = request.into_parts();
    let form = Request::from_parts(parts.clone(), body);
    let fields = match Fields::read(form).await {
        Ok(fields) => fields,
        Err((status, problem)) => return sign_in::page(&shared, status, Some(problem)),
    };
    let text = fields.text("key");
    parts.headers.remove(header::AUTHORIZATION);
    parts.headers.remove(header::CONTENT_LENGTH);
    if let Some(bearer) = bearer(text) {
        parts.headers.insert(header::AUTHORIZATION, bearer);
        let digests = shared.hasher.digests_at(text.as_bytes(), shared.management.now());
        parts.extensions.insert(SigningIn(digests.collect()));
    }
    let response = next.run(Request::from_parts(parts, Body::empty())).await;
    if response.extensions().get::<Denial>().is_none() {
        return response;
    }
    let problem = match response.status() {
        StatusCode::UNAUTHORIZED | StatusCode::BAD_REQUEST if !is_insecure(&response) => {
            "This key is not valid here. Check that you have copied all of it."
        }
        StatusCode::FORBIDDEN => "This key may not sign in from here.",
        StatusCode::TOO_MANY_REQUESTS => {
            "Too many attempts have failed. Wait a while, and try again."
        }
        _ => return refusal(&shared, &response),
    };
    let status = response.status();
    let mut page = sign_in::page(&shared, status, Some(problem));
    keep_wait(response.headers(), page.headers_mut());
    page
}

/// Turns refusals of the gate into pages.
pub(super) async fn with_pages(
    State(shared): State<Arc<Shared>>,
    mut request: Request,
    next: Next,
) -> Response {
    request.headers_mut().remove(header::AUTHORIZATION);
    let response = next.run(request).await;
    if response.extensions().get::<Denial>().is_none() {
        return response;
    }
    refusal(&shared, &response)
}

fn is_insecure(response: &Response) -> bool {
    matches!(response.extensions().get::<Denial>(), Some(Denial::InsecureTransport))
}

/// Returns the page for a refusal of a gate.
fn refusal(shared: &Shared, response: &Response) -> Response {
    let problem = match response.status() {
        _ if is_insecure(response) => {
            "HTTPS is required. If you have typed a key on this page, rotate the key."
        }
        StatusCode::FORBIDDEN => "Your key does not allow this.",
        StatusCode::TOO_MANY_REQUESTS => "Too many requests. Wait a while, and try again.",
        StatusCode::SERVICE_UNAVAILABLE => "The store cannot answer now. Try again.",
        _ => "The request was refused.",
    };
    let mut page = shared.problem(None, response.status(), problem);
    keep_wait(response.headers(), page.headers_mut());
    page
}

fn keep_wait(from: &HeaderMap, to: &mut HeaderMap) {
    if let Some(wait) = from.get(header::RETRY_AFTER) {
        to.insert(header::RETRY_AFTER, wait.clone());
    }
}

fn bearer(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(format!("Bearer {text}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}
