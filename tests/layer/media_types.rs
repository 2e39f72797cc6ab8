//! Answers with a media type of the vendor's own.

use http::{Method, StatusCode};
use tower_api_key::profile::{
    Answer, Answers, Challenge, ErrorBody, Expected, RequestIdHeader, RequiredHeader,
};
use tower_api_key::{ApiKeyLayer, ConfigError, Profile};

use crate::support::{PROFILE, anonymous, greeting, reason, request, send, store, text};

const MARKUP: ErrorBody = ErrorBody::Text("<p title=\"{path}\">{header} &amp; more</p>");
const PAGE: Answer =
    Answer::new(StatusCode::FORBIDDEN, MARKUP).content_type("text/html; charset=utf-8");
const JSON: Answer = Answer::new(StatusCode::UNAUTHORIZED, ErrorBody::Error("No."))
    .challenge(Challenge::Bare)
    .content_type("application/json; charset=utf-8");

fn profile(answers: Answers<'static>) -> Profile<'static> {
    const AGENT: &[RequiredHeader] =
        &[RequiredHeader { name: "user-agent", expected: Expected::Present }];
    Profile {
        answers,
        required_headers: AGENT,
        request_id: Some(RequestIdHeader::new("request-id")),
        principal_headers: &[],
        ..PROFILE
    }
}

#[tokio::test]
async fn a_row_names_its_media_type() {
    let answers = Answers { header_refused: PAGE, credentials_missing: JSON, ..PROFILE.answers };
    let layer = ApiKeyLayer::builder(profile(answers), store(|key| key)).build().unwrap();
    let service = greeting(&layer);

    let page = send(&service, request(Method::GET, "/a%3Cb&c")).await;
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    assert_eq!(text(page).await, "<p title=\"/a%3Cb%26c\">user-agent &amp; more</p>");

    let missing = send(&service, anonymous(Method::GET, "/")).await;
    assert_eq!(missing.headers()["content-type"], "application/json; charset=utf-8");
    assert_eq!(text(missing).await, r#"{"error":"No."}"#);
}

#[test]
fn a_wrong_media_type_is_a_mistake_of_its_row() {
    for answer in [
        PAGE.content_type("html"),
        Answer::of_code(403, ErrorBody::Empty).content_type("text/html"),
    ] {
        let answers = Answers { header_refused: answer, ..PROFILE.answers };
        let error = ApiKeyLayer::builder(profile(answers), store(|key| key)).build().unwrap_err();
        assert!(
            matches!(&error, ConfigError::Answer { answer: "header_refused", part, .. } if part.contains("type")),
            "{error}"
        );
    }
}

/// A version that a client may leave out, and may not invent.
#[tokio::test]
async fn a_header_can_be_optional() {
    const VERSION: &[RequiredHeader] = &[RequiredHeader {
        name: "x-api-version",
        expected: Expected::AbsentOr(&Expected::OneOf(&["2022-11-28", "2026-03-10"])),
    }];
    let profile = Profile { required_headers: VERSION, ..PROFILE };
    let service = greeting(&ApiKeyLayer::builder(profile, store(|key| key)).build().unwrap());
    for (version, expected) in [
        (None, "admitted"),
        (Some("2026-03-10"), "admitted"),
        (Some("1999-01-01"), "header_refused"),
    ] {
        let mut request = request(Method::GET, "/");
        if let Some(version) = version {
            request.headers_mut().insert("x-api-version", version.parse().unwrap());
        }
        assert_eq!(reason(&send(&service, request).await), expected, "{version:?}");
    }
}
