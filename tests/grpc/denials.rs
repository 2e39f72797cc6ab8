//! Each denial of a call, as tonic's client reads it.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::StatusExt;
use tower_api_key::attempts::FailedAttempts;
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::concurrency::Concurrency;
use tower_api_key::key::{KeyDigest, KeyRecordBuilder, SharedRecord};
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::rules::{Route, Routes};
use tower_api_key::store::{KeyStore, StoreError};
use tower_api_key::{ApiKeyLayerBuilder, Reply};

use super::server::{Client, builder, gate_of, routes, start};
use crate::support::{PROFILE, store};

const MINUTE: Duration = Duration::from_secs(60);

async fn behind(builder: ApiKeyLayerBuilder) -> Client {
    start(&builder.assume_https().build().unwrap()).await
}

fn is(status: &Status, code: Code, message: &str) {
    assert_eq!((status.code(), status.message()), (code, message), "{status:?}");
}

#[tokio::test]
async fn a_call_with_a_key_passes() {
    let client = behind(builder(PROFILE)).await;
    assert_eq!(client.list().await.unwrap()[0].name, "acme");
    assert_eq!(client.create("ada").await.unwrap().into_inner().name, "acme");
    assert_eq!(client.watch().await.unwrap().len(), 2);
}

#[tokio::test]
async fn credentials_are_refused_by_code_and_message() {
    let client = behind(builder(PROFILE)).await;
    for (authorization, code, message) in [
        (None, Code::Unauthenticated, "Missing API key."),
        (Some("Digest a"), Code::Unauthenticated, "Missing API key."),
        (Some("Bearer"), Code::InvalidArgument, "Malformed Authorization header."),
        (Some("Bearer a b"), Code::InvalidArgument, "Malformed Authorization header."),
        (Some("Bearer short"), Code::Unauthenticated, "Invalid API key provided."),
        (Some("Bearer key_unknown_0123456"), Code::Unauthenticated, "Invalid API key provided."),
    ] {
        let client = client.with(authorization);
        for status in [client.list().await.unwrap_err(), client.watch().await.unwrap_err()] {
            is(&status, code, message);
            assert!(status.details().is_empty());
            assert_eq!(status.metadata().get("cache-control").unwrap(), "no-store");
        }
    }
    let challenge = r#"Bearer realm="test""#;
    let status = client.with(None).list().await.unwrap_err();
    assert_eq!(status.metadata().get("www-authenticate").unwrap(), challenge);
}

#[tokio::test]
async fn records_are_refused_by_code_and_message() {
    type Change = fn(KeyRecordBuilder) -> KeyRecordBuilder;
    let expired: Change = |key| key.expires(Timestamp::from_unix_seconds(1));
    let elsewhere: Change = |key| key.networks(["192.0.2.0/24"]);
    for (change, code, message) in [
        (expired, Code::Unauthenticated, "Invalid API key provided."),
        (|key| key.revoked(true), Code::Unauthenticated, "Invalid API key provided."),
        (elsewhere, Code::PermissionDenied, "You do not have permission to perform this action."),
        (
            |key| key.scopes(["users.write"]),
            Code::PermissionDenied,
            "You do not have permission to perform this action.",
        ),
    ] {
        let builder = gate_of(PROFILE, store(change)).routes(routes(Route::new()));
        let client = behind(builder).await;
        is(&client.list().await.unwrap_err(), code, message);
        is(&client.watch().await.unwrap_err(), code, message);
    }
}

#[tokio::test]
async fn plain_http_and_unknown_routes_are_refused() {
    let client = start(&builder(PROFILE).build().unwrap()).await;
    is(&client.list().await.unwrap_err(), Code::InvalidArgument, "HTTPS is required.");

    let builder = gate_of(PROFILE, store(|key| key));
    let client = behind(builder.routes(Routes::new())).await;
    let status = client.list().await.unwrap_err();
    is(&status, Code::PermissionDenied, "You do not have permission to perform this action.");
}

/// A quota is told as metadata, and when to come back as metadata and as `RetryInfo`.
#[tokio::test]
async fn limits_say_when_to_come_back() {
    let clock = ManualClock::starting_at(Timestamp::from_unix_seconds(1_800_000_000));
    let store = store(|key| key.scopes(["users.read"]).quotas([Quota::new("minute", 1, MINUTE)]));
    let builder = gate_of(PROFILE, store)
        .routes(routes(Route::new()))
        .clock(clock.clone())
        .limits(MemoryLimiter::new(), OnLimiterFailure::Deny);
    let client = behind(builder).await;
    let answer = client.create("ada").await.unwrap();
    assert_eq!(answer.metadata().get("ratelimit-remaining").unwrap(), "0");
    clock.advance(Duration::from_millis(17_500));
    for status in [client.list().await.unwrap_err(), client.watch().await.unwrap_err()] {
        is(&status, Code::ResourceExhausted, "Rate limit exceeded.");
        assert_eq!(status.metadata().get("retry-after").unwrap(), "43");
        assert_eq!(status.metadata().get("ratelimit-remaining").unwrap(), "0");
        let told = status.get_details_retry_info().unwrap().retry_delay;
        assert_eq!(told, Some(Duration::from_secs(43)), "rounded up");
        assert_eq!(tonic_code(&status), (8, "Rate limit exceeded."));
    }
    clock.advance(Duration::from_secs(43));
    client.list().await.unwrap();
}

/// The code and message that the details repeat.
fn tonic_code(status: &Status) -> (i32, &str) {
    use prost::Message;
    let details = tonic_types::pb::Status::decode(status.details()).unwrap();
    assert_eq!(details.message, status.message());
    (details.code, status.message())
}

#[tokio::test]
async fn too_many_failures_and_too_many_at_once_are_limits() {
    let attempts = FailedAttempts::new(1, MINUTE);
    let client = behind(builder(PROFILE).failed_attempts(attempts)).await;
    let guess = client.with(Some("Bearer key_unknown_0123456"));
    is(&guess.list().await.unwrap_err(), Code::Unauthenticated, "Invalid API key provided.");
    let status = guess.list().await.unwrap_err();
    is(&status, Code::ResourceExhausted, "Rate limit exceeded.");
    assert!(status.get_details_retry_info().unwrap().retry_delay.unwrap() <= MINUTE);

    let one = Route::new().concurrency(Concurrency::new(1));
    let client = behind(builder(PROFILE).routes(routes(one))).await;
    let slow = tokio::spawn({
        let client = client.clone();
        async move { client.create("slow").await.map(drop) }
    });
    let status = loop {
        match client.create("ada").await {
            Ok(_) => tokio::task::yield_now().await,
            Err(status) => break status,
        }
    };
    slow.abort();
    is(&status, Code::ResourceExhausted, "Rate limit exceeded.");
    assert_eq!(status.metadata().get("retry-after").unwrap(), "1");
}

#[tokio::test]
async fn outages_and_spent_budgets_have_their_own_codes() {
    let short = Route::new().budget(Duration::from_millis(20));
    let client = behind(builder(PROFILE).routes(routes(short))).await;
    let status = client.create("slow").await.unwrap_err();
    is(&status, Code::DeadlineExceeded, "Request took too long.");

    let builder = gate_of(PROFILE, Down).routes(routes(Route::new()));
    let client = behind(builder).await;
    let status = client.list().await.unwrap_err();
    is(&status, Code::Unavailable, "Service temporarily unavailable.");
    let told = status.get_details_retry_info().unwrap().retry_delay;
    assert_eq!(told, Some(Duration::from_secs(5)));
}

/// A store that cannot answer.
struct Down;

impl KeyStore for Down {
    fn find(&self, _: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        Reply::now(Err(StoreError::new(std::io::Error::other("down"))))
    }
}
