//! The page that shows a new secret once.

use askama::Template;
use axum::response::Response;
use http::StatusCode;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::IssuedKey;

use super::frame::{Frame, Section};
use super::problem::page;
use super::text;
use super::visit::Visit;
use crate::management::IssuedEntry;

#[derive(Template)]
#[template(path = "console/secret.html")]
struct SecretPage<'a> {
    frame: Frame,
    title: &'a str,
    id: String,
    secret: Option<&'a str>,
    until: Option<Until>,
}

/// When the old secret ends.
struct Until {
    text: String,
    seconds: u64,
}

/// Answers with a new secret. Browsers and proxies do not store the page.
pub(super) fn answer(
    visit: &Visit,
    title: &str,
    issued: &IssuedEntry,
    until: Option<Timestamp>,
) -> Response {
    let until = until.filter(|until| *until > visit.shared.management.now());
    let secret = SecretPage {
        frame: visit.frame(Section::Keys),
        title,
        id: issued.entry.record.id().to_string(),
        secret: issued.secret.as_ref().map(IssuedKey::expose),
        until: until
            .map(|until| Until { text: text::moment(Some(until)), seconds: until.unix_seconds() }),
    };
    page(StatusCode::OK, &secret)
}
