//! One gate in front of several families of endpoints, each with its own form of errors. Prints a line of curl for
//! each.
//!
//! ```text
//! cargo run --example families --features axum
//! ```

use std::time::Duration;

use axum::Router;
use tower_api_key::key::{Account, Issuer, KeyFormat, KeyHasher, KeyRecord};
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::profile::{
    Answer, Answers, Challenge, ErrorBody, PathAnswers, Problem, ProblemMember, ProblemValue,
    ResponseHeader, SchemeChallenge,
};
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, Grant, Profile};

/// The API's own endpoints: problem details, with the request's path and a member for programs.
const OWN: Answers = Answers {
    rate_limited: Answer::of_code(429, problem(Problem::quota_exceeded("Try again later."))),
    ..Answers::all(Answer::of_code(401, problem(INVALID)).challenge(Challenge::InvalidToken))
};
const INVALID: Problem = Problem::new("https://example.com/problems/key", "Not a valid key", "")
    .members(&[ProblemMember { name: "code", value: ProblemValue::Json("20003") }]);

const fn problem(problem: Problem<'static>) -> ErrorBody<'static> {
    ErrorBody::Problem(problem.instance("{path}"))
}

/// Endpoints for clients of OpenAI.
const OPENAI: Answers = Answers::all(Answer::of_code(401, MESSAGE).challenge(Challenge::Bare));
const MESSAGE: ErrorBody = ErrorBody::Json {
    shape: r#"{"error":{"message":"{message}","type":"invalid_request_error","code":null}}"#,
    values: &[("message", "Not a valid key.")],
};

/// GraphQL: clients look for errors in the bodies of successes. A proxy that asks this gate would admit everything.
const GRAPHQL: Answers = Answers::all(Answer::insecure_success(ErrorBody::Json {
    shape: r#"{"errors":[{"message":"Not a valid key."}],"data":null}"#,
    values: &[],
}));

/// A cache without bodies, with a status of its own for a quota that is used up.
const CACHE: Answers = Answers {
    rate_limited: Answer::of_code(456, ErrorBody::Empty),
    ..Answers::all(Answer::of_code(403, ErrorBody::Empty))
};

const PROFILE: Profile = Profile {
    quotas: &[Quota::new("minute", 5, Duration::from_secs(60))],
    challenges: &[
        SchemeChallenge::new("Bearer").parameters(&[(
            "resource_metadata",
            "https://example.com/.well-known/oauth-protected-resource",
        )]),
        SchemeChallenge::new("ApiKey").without_realm(),
    ],
    response_headers: &[ResponseHeader { name: "x-api-version", value: "2026-11-01" }],
    answers: OWN,
    answers_by_path: &[
        PathAnswers { prefix: "/openai", answers: OPENAI },
        PathAnswers { prefix: "/graphql", answers: GRAPHQL },
        PathAnswers { prefix: "/cache", answers: CACHE },
    ],
    ..Profile::STANDARD
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let key = Issuer::new(KeyFormat::STANDARD, KeyHasher::sha256()).issue(Some("test"))?;
    let store = MemoryStore::new();
    let acme = Account::builder("acme").build()?;
    store.add_now(*key.digest(), KeyRecord::builder("key_1", acme).environment("test").build()?);
    let gate = ApiKeyLayer::builder(PROFILE, store)
        .limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
        .assume_https() // on your own machine only
        .build()?;

    let hello = |grant: Grant| async move { format!("{}\n", grant.account()) };
    let app = Router::new().fallback(hello).layer(gate);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let (address, key) = (listener.local_addr()?, key.expose());
    for path in ["/v1/users", "/openai/v1/models", "/graphql", "/cache/1"] {
        println!("curl -i {address}{path}");
    }
    println!("curl -i {address}/v1/users -H 'Authorization: Bearer {key}' # repeat it six times");
    println!("curl -i {address}/cache/1 -H 'Authorization: Bearer {key}'");
    axum::serve(listener, app).await?;
    Ok(())
}
