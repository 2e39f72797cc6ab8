//! Answers of their own for the paths below a prefix.

use std::time::Duration;

use http::{Method, Request, Response};
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::clock::Timestamp;
use tower_api_key::profile::{Answer, Answers, Challenge, ErrorBody, PathAnswers};
use tower_api_key::rules::{Otherwise, Route, Routes};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, Denial, Profile, refusal};

use crate::support::{KEY, PROFILE, anonymous, request, store, text, tls};

const fn named(text: &'static str) -> Answers<'static> {
    Answers::all(Answer::of_code(401, ErrorBody::Text(text)).challenge(Challenge::Bare))
}

const OPENAI: PathAnswers = PathAnswers { prefix: "/openai", answers: named("openai") };
const FILES: PathAnswers = PathAnswers { prefix: "/openai/v1/files", answers: named("files") };
const GRAPHQL: PathAnswers = PathAnswers { prefix: "/graphql", answers: named("graphql") };
const FAMILIES: Profile =
    Profile { answers: named("general"), answers_by_path: &[OPENAI, GRAPHQL, FILES], ..PROFILE };

fn layer() -> ApiKeyLayer {
    let slow = Route::new().budget(Duration::from_millis(5));
    let routes = Routes::new()
        .get("/openai/scope", Route::new().all_of(&["users.write"]))
        .get("/graphql/slow", slow)
        .otherwise(Otherwise::Need(Route::new()));
    ApiKeyLayer::builder(FAMILIES, store(|key| key)).routes(routes).build().unwrap()
}

async fn answer(layer: &ApiKeyLayer, request: Request<()>) -> (Option<Denial>, String) {
    let service = layer.layer(service_fn(|request: Request<()>| async move {
        if request.uri().path().ends_with("/slow") {
            std::future::pending::<()>().await;
        }
        let asks = request.uri().path().ends_with("/refused");
        let response = if asks { refusal(Denial::InternalError) } else { Response::default() };
        Ok::<Response<String>, std::convert::Infallible>(response)
    }));
    let response = service.oneshot(request).await.unwrap();
    (response.extensions().get().cloned(), text(response).await)
}

/// Whoever refuses: the gate before and after authentication, the handler, or the time budget.
#[tokio::test]
async fn a_refusal_speaks_the_form_of_its_path() {
    let layer = layer();
    let missing = |path| (anonymous(Method::GET, path), Denial::CredentialsMissing);
    let keyed = |path, denial| (request(Method::GET, path), denial);
    let needed = "users.write".into();
    let budget = Duration::from_millis(5);
    for ((request, denial), family) in [
        (missing("/v1/users"), "general"),
        (missing("/openai/v1/models"), "openai"),
        (missing("/openai?x=/graphql"), "openai"),
        (missing("/openai/v1/files/7"), "files"),
        (missing("/graphql"), "graphql"),
        (missing("/graphqls"), "general"),
        (missing("/graphql//x"), "general"),
        (missing("/graphql/%2e%2e/openai"), "general"),
        (missing("//graphql"), "general"),
        (keyed("/openai/scope", Denial::ScopeMissing { needed }), "openai"),
        (keyed("/graphql/refused", Denial::InternalError), "graphql"),
        (keyed("/refused", Denial::InternalError), "general"),
        (keyed("/graphql/slow", Denial::TimedOut { budget }), "graphql"),
    ] {
        let path = request.uri().clone();
        let explained = layer.explain(&request, tls(), None, Timestamp::default());
        if denial == Denial::CredentialsMissing {
            assert_eq!(explained.answer().unwrap().body(), family, "{path}");
        }
        assert_eq!(answer(&layer, request).await, (Some(denial), family.to_owned()), "{path}");
    }
    let absolute = anonymous(Method::GET, "https://example.com/graphql/x");
    assert_eq!(answer(&layer, absolute).await.1, "graphql");
    assert_eq!(layer.answer(&Denial::KeyUnknown).body(), "general");
}

/// The path changes what a client reads, and nothing else.
#[tokio::test]
async fn the_decision_is_the_same_under_every_prefix() {
    let layer = layer();
    for path in ["/v1", "/openai", "/graphql/x", "/openai/v1/files"] {
        assert_eq!(answer(&layer, request(Method::GET, path)).await.0, None, "{path}");
        let mut malformed = anonymous(Method::GET, path);
        let twice = format!("Bearer {KEY}").parse().unwrap();
        malformed.headers_mut().insert("authorization", twice);
        malformed.headers_mut().insert("x-api-key", KEY.parse().unwrap());
        let denied = answer(&layer, malformed).await.0;
        assert_eq!(denied, Some(Denial::CredentialsAmbiguous), "{path}");
    }
}

#[test]
fn a_mistake_below_a_prefix_names_prefix_and_row() {
    let wrong = Answers { timed_out: Answer::of_code(200, ErrorBody::Empty), ..named("x") };
    let by_path = [GRAPHQL, PathAnswers { prefix: "/a", answers: wrong }];
    let profile = Profile { answers_by_path: &by_path, ..FAMILIES };
    let error = ApiKeyLayer::builder(profile, MemoryStore::new()).build().unwrap_err().to_string();
    for word in ["`answers_by_path`", "`/a`", "`timed_out`", "status 200"] {
        assert!(error.contains(word), "{error}");
    }
    let by_path = [GRAPHQL, GRAPHQL];
    let profile = Profile { answers_by_path: &by_path, ..FAMILIES };
    let error = ApiKeyLayer::builder(profile, MemoryStore::new()).build().unwrap_err().to_string();
    assert!(error.contains("`/graphql`: it is listed twice"), "{error}");
}
