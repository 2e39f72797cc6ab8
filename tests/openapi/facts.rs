//! Profiles whose answers have facts of the refusal, or come from functions.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode};
use tower_api_key::Profile;
use tower_api_key::profile::{
    Answer, Answers, Challenge, CustomBody, ErrorBody, LimitField, LimitHeaders, LimitValue,
    PrincipalHeader, PrincipalValue, Problem, ProblemMember, ProblemValue, Refusal,
    RequestIdHeader, ResponseHeader,
};
use tower_api_key::quota::Quota;

/// All that an answer can have of its request, its key and its quotas.
pub(super) const FACTS: Profile = Profile {
    quotas: &[Quota::new("minute", 1_000, Duration::from_secs(60))],
    limit_headers: LimitHeaders {
        fields: &[
            LimitField::new("x-left-{quota}", LimitValue::Remaining).decimals(1),
            LimitField::new("x-reset", LimitValue::ResetDuration),
        ],
        ..LimitHeaders::X_RATE_LIMIT
    },
    principal_headers: &[
        PrincipalHeader { name: "x-account", value: PrincipalValue::Account },
        PrincipalHeader { name: "x-plan", value: PrincipalValue::Metadata("plan") },
    ],
    request_id: Some(RequestIdHeader::new("x-request-id").prefix("req_")),
    response_headers: &[ResponseHeader { name: "x-version", value: "7" }],
    answers: Answers {
        scope_missing: Answer::new(
            StatusCode::FORBIDDEN,
            ErrorBody::Problem(
                Problem::new("https://vendor.example/scope", "Scope", "{account}: {method} {path}")
                    .instance("{path}")
                    .members(&[ProblemMember {
                        name: "scopes",
                        value: ProblemValue::Text("{scopes}"),
                    }]),
            ),
        )
        .challenge(Challenge::InsufficientScope),
        rate_limited: Answer::new(
            StatusCode::TOO_MANY_REQUESTS,
            ErrorBody::Json {
                shape: r#"{"error":{"quota":"{quota}","limit":"{#limit}","wait":"{#retry_after}"}}"#,
                values: &[],
            },
        )
        .headers(&[("x-quota", "{quota}"), ("x-should-retry", "false")]),
        key_expired: Answer::new(StatusCode::GONE, ErrorBody::Text("{insecure_expired_at}")),
        key_revoked: Answer::new(StatusCode::GONE, ErrorBody::Empty),
        account_mismatch: Answer::of_code(456, ErrorBody::Error("Not {path}")),
        ..Profile::STANDARD.answers
    },
    ..Profile::STANDARD
};

fn body(refusal: &Refusal<'_>) -> CustomBody {
    let content_type = HeaderValue::from_static("application/vnd.vendor+json");
    CustomBody { content_type, content: format!("\"{}\"", refusal.denial().name()).into() }
}

fn headers(refusal: &Refusal<'_>) -> HeaderMap {
    let value = refusal.path().and_then(|path| HeaderValue::from_str(path).ok());
    value.map(|value| ("x-path".parse().unwrap(), value)).into_iter().collect()
}

/// Bodies and headers by functions.
pub(super) const MADE: Profile = Profile {
    answers: Answers {
        key_unknown: Answer::new(StatusCode::UNAUTHORIZED, ErrorBody::Custom(body))
            .challenge(Challenge::InvalidToken),
        route_unknown: Answer::new(StatusCode::NOT_FOUND, ErrorBody::Empty).headers_from(headers),
        ..Profile::STANDARD.answers
    },
    ..Profile::STANDARD
};
