//! A profile of your own, written with the same types as the five that ship.
//!
//! ```text
//! cargo run --example sixth_vendor
//! ```
//!
//! Acme reads keys from `X-Api-Key` and answers with RFC 9457 problem details. It sends limits in the
//! structured fields of the IETF draft and counts with a sliding window. Its refusals name the missing scopes, the
//! exceeded limit and the id of the request.

use std::error::Error;
use std::time::Duration;

use http::{Request, StatusCode};
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{Alphabet, KeyFormat};
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::profile::{
    Answer, Answers, Challenge, CredentialSource, ErrorBody, LimitHeaders, PrincipalHeader,
    PrincipalValue, Problem, RequestIdHeader,
};
use tower_api_key::quota::{Algorithm, OnLimiterFailure, Quota};
use tower_api_key::request::Connection;
use tower_api_key::rules::{Route, Routes};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, Profile};

const fn problem(status: StatusCode, title: &'static str, detail: &'static str) -> Answer<'static> {
    Answer::new(status, ErrorBody::Problem(Problem::new("about:blank", title, detail)))
}

const MISSING: Answer =
    problem(StatusCode::UNAUTHORIZED, "Unauthorized", "Send X-Api-Key.").challenge(Challenge::Bare);
const INVALID: Answer = problem(StatusCode::UNAUTHORIZED, "Unauthorized", "This key is not valid.")
    .challenge(Challenge::InvalidToken);
const MALFORMED: Answer =
    problem(StatusCode::BAD_REQUEST, "Bad request", "Send X-Api-Key exactly once.");
const FORBIDDEN: Answer = problem(StatusCode::FORBIDDEN, "Forbidden", "This key may not do this.");
/// The facts of a refusal stand in braces.
const NO_SCOPE: Answer =
    problem(StatusCode::FORBIDDEN, "Forbidden", "{account} needs {scopes} (request {request_id}).");
const LIMITED: Answer =
    problem(StatusCode::TOO_MANY_REQUESTS, "Too many requests", "Send fewer requests.");
const UNAVAILABLE: Answer =
    problem(StatusCode::SERVICE_UNAVAILABLE, "Service unavailable", "Try again later.")
        .retry_after(10);

const ACME: Profile = Profile {
    name: "Acme",
    realm: "acme",
    credentials: &[CredentialSource::header("x-api-key")],
    formats: &[KeyFormat::new()
        .literal("acme_")
        .environment(&["live", "test"])
        .literal("_")
        .characters(Alphabet::Base62, 24)
        .checksum()],
    required_headers: &[],
    quotas: &[
        Quota::new("minute", 60, Duration::from_secs(60)).with_algorithm(Algorithm::SlidingWindow)
    ],
    limit_headers: LimitHeaders::STRUCTURED,
    principal_headers: &[PrincipalHeader { name: "acme-account", value: PrincipalValue::Account }],
    request_id: Some(RequestIdHeader::new("acme-request-id")),
    response_headers: &[],
    challenges: &[],
    answers_by_path: &[],
    answers: Answers { scope_missing: NO_SCOPE, ..ANSWERS },
};

/// Every denial that is not listed here gets the answer `INVALID`.
const ANSWERS: Answers = Answers {
    insecure_transport: problem(StatusCode::BAD_REQUEST, "Bad request", "HTTPS only."),
    too_many_failures: LIMITED,
    credentials_ambiguous: MALFORMED,
    credentials_malformed: MALFORMED,
    header_refused: MALFORMED,
    rate_limited: problem(
        StatusCode::TOO_MANY_REQUESTS,
        "Too many requests",
        "{account} may send {limit|fewer} requests a {quota|minute}.",
    )
    .headers(&[("Link", "</docs/limits>; rel=\"help\"")]),
    concurrency_exceeded: LIMITED,
    timed_out: UNAVAILABLE,
    internal_error: problem(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Internal error",
        "The server failed.",
    ),
    store_unavailable: UNAVAILABLE,
    limiter_unavailable: UNAVAILABLE,
    ..Answers::all(INVALID)
}
.with_unauthorized(MISSING, INVALID)
.with_forbidden(FORBIDDEN);

fn main() -> Result<(), Box<dyn Error>> {
    for format in ACME.formats {
        println!("Pattern for secret scanners: {}\n", format.pattern());
    }
    let gate = ApiKeyLayer::builder(ACME, MemoryStore::new())
        .routes(Routes::new().get("/orders", Route::new().all_of(&["orders.read"])))
        .limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
        .build()?;
    let request = Request::get("/orders").header("x-api-key", "acme_live_mistyped").body(())?;
    let connection = Connection::tls("192.0.2.1:4711".parse()?);
    let explanation = gate.explain(&request, connection, None, Timestamp::default());
    println!("{explanation}\n");
    if let Some(answer) = explanation.answer() {
        println!("{} {:#?}", answer.status(), answer.headers());
        println!("{}", String::from_utf8_lossy(answer.body()));
    }
    Ok(())
}
