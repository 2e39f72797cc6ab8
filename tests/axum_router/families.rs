//! The answers of a path, where a router has cut it.

use axum::Router;
use axum::routing::get;
use http::Method;
use tower_api_key::profile::{Answer, Answers, Challenge, ErrorBody, PathAnswers};
use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};

use super::{cut, send, whose};
use crate::support::{PROFILE, anonymous, text};

const fn named(text: &'static str) -> Answers<'static> {
    Answers::all(Answer::of_code(401, ErrorBody::Text(text)).challenge(Challenge::Bare))
}

const FAMILIES: &[PathAnswers] = &[
    PathAnswers { prefix: "/openai", answers: named("openai") },
    PathAnswers { prefix: "/v1", answers: named("cut") },
];

/// The path that the client sent chooses the answers, and not the one that nesting leaves. An ambiguous path has the
/// general answers, whatever nesting made of it. So has a path that something else has cut.
#[tokio::test]
async fn the_original_path_chooses_the_answers() {
    let profile = Profile { answers: named("general"), answers_by_path: FAMILIES, ..PROFILE };
    let gate = ApiKeyLayer::builder(profile, MemoryStore::new()).build().unwrap();
    let inner = Router::new().route("/v1/models", get(whose)).fallback(whose).layer(gate);
    let nested = Router::new().nest("/openai", inner.clone()).nest("/apis/acme", inner.clone());
    for (router, path, expected) in [
        (&inner, "/v1/models", "cut"),
        (&nested, "/openai/v1/models", "openai"),
        (&nested, "/openai", "openai"),
        (&nested, "/openai//v1/models", "general"),
        (&nested, "/openai/v1/%6dodels", "general"),
        (&nested, "/apis/acme/v1/models", "general"),
    ] {
        let response = send(router, anonymous(Method::GET, path)).await;
        assert_eq!(text(response).await, expected, "{path}");
    }
    let app = Router::new().fallback_service(tower::util::MapRequest::new(nested, cut));
    let response = send(&app, anonymous(Method::GET, "/old/openai/v1/models")).await;
    assert_eq!(text(response).await, "general");
}
