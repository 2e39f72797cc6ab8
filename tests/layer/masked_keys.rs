//! Texts with a part of the presented key.

use std::convert::Infallible;

use http::{Method, Request, Response, StatusCode};
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{Alphabet, KeyFormat};
use tower_api_key::profile::{Answer, Answers, Challenge, CustomBody, ErrorBody, Refusal};
use tower_api_key::rules::{Route, Routes};
use tower_api_key::{ApiKeyLayer, Denial, Profile, refusal};

use crate::support::{KEY, PROFILE, anonymous, greeting, request, send, store, text, tls};

const FORMATS: &[KeyFormat<'static>] =
    &[KeyFormat::new().literal("key_").between(Alphabet::Base62, 16, 64)];

const SHOWN: Answer =
    Answer::new(StatusCode::UNAUTHORIZED, ErrorBody::Text("{masked_key|some key}"))
        .challenge(Challenge::Bare);

fn profile(answer: Answer<'static>) -> Profile<'static> {
    let answers = Answers {
        key_malformed: answer,
        key_unknown: answer,
        key_revoked: answer,
        scope_missing: answer,
        ..PROFILE.answers
    };
    Profile { formats: FORMATS, answers, ..PROFILE }
}

fn layer(answer: Answer<'static>) -> ApiKeyLayer {
    let routes = Routes::new()
        .get("/scope", Route::new().all_of(&["users.write"]))
        .get("/handler", Route::new());
    ApiKeyLayer::builder(profile(answer), store(|key| key)).routes(routes).build().unwrap()
}

fn with(path: &str, key: &str) -> Request<()> {
    let mut request = anonymous(Method::GET, path);
    request.headers_mut().insert("authorization", format!("Bearer {key}").parse().unwrap());
    request
}

#[tokio::test]
async fn a_refused_key_is_shown_without_its_secret_part() {
    let service = greeting(&layer(SHOWN));
    for (path, key, expected) in [
        ("/scope", "key_0123456789abcdefghijWXYZ", "key_****WXYZ"),
        // Too short to show its end.
        ("/scope", "key_0123456789abcdef", "key_****"),
        // Of no format.
        ("/scope", "0123456789abcdefghijWXYZ-", "****XYZ-"),
        ("/scope", "password", "****"),
    ] {
        assert_eq!(text(send(&service, with(path, key)).await).await, expected);
    }
    assert_eq!(text(send(&service, request(Method::GET, "/scope")).await).await, "key_****");
}

#[tokio::test]
async fn a_handler_refuses_without_the_key() {
    let refuse = service_fn(|_: Request<()>| async {
        Ok::<_, Infallible>(refusal::<String>(Denial::ScopeMissing { needed: "a".into() }))
    });
    let response: Response<_> =
        layer(SHOWN).layer(refuse).oneshot(request(Method::GET, "/handler")).await.unwrap();
    let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
    assert_eq!(body, "some key");
}

#[tokio::test]
async fn a_function_gets_the_key_and_so_does_an_explanation() {
    fn make(refusal: &Refusal<'_>) -> CustomBody {
        let content = format!("<{}>", refusal.masked_key().unwrap_or("none"));
        let content_type = http::HeaderValue::from_static("text/plain");
        CustomBody { content_type, content: content.into() }
    }
    let made = Answer::new(StatusCode::FORBIDDEN, ErrorBody::Custom(make));
    let unknown = || with("/scope", "key_0123456789abcdefghijWXYZ");
    let service = greeting(&layer(made));
    assert_eq!(text(send(&service, unknown()).await).await, "<key_****WXYZ>");
    let explained = layer(SHOWN).explain(&unknown(), tls(), None, Timestamp::default());
    assert_eq!(explained.answer().unwrap().body(), "key_****WXYZ");
}

#[test]
fn only_rows_about_a_key_show_it() {
    let answers = Answers { credentials_missing: SHOWN, ..PROFILE.answers };
    let profile = Profile { answers, ..PROFILE };
    let error = ApiKeyLayer::builder(profile, store(|key| key)).build().unwrap_err().to_string();
    assert!(error.contains("`{masked_key}`") && error.contains("`key_unknown`"), "{error}");
    assert!(!format!("{:?}", layer(SHOWN)).contains(KEY));
}
