//! Refusals of vendors whose bodies and headers have facts, written as data.

use std::time::Duration;

use http::{Method, Request, StatusCode};
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::profile::{
    Answer, Answers, Challenge, ErrorBody, LimitField, LimitHeaders, LimitValue, RequestIdHeader,
};
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::rules::{Route, Routes};
use tower_api_key::{ApiKeyLayer, Profile};

use crate::support::{PROFILE, anonymous, greeting, request, send, store, text};

type Values = &'static [(&'static str, &'static str)];

const fn json(status: StatusCode, shape: &'static str, values: Values) -> Answer<'static> {
    Answer::new(status, ErrorBody::Json { shape, values })
}

const NO_KEY: StatusCode = StatusCode::UNAUTHORIZED;
const FORBIDDEN: StatusCode = StatusCode::FORBIDDEN;
const LIMITED: StatusCode = StatusCode::TOO_MANY_REQUESTS;

/// A refusal for a missing scope is 401, lists the scopes, and sets `param` to null.
const OPENAI: Profile = {
    const SHAPE: &str =
        r#"{"error":{"message":"{message}","type":"{type}","param":null,"code":"{code}"}}"#;
    const UNNAMED: &str = r#"{"error":{"message":"{message}","type":"invalid_request_error","param":null,"code":null}}"#;
    Profile {
        request_id: Some(RequestIdHeader::new("x-request-id").prefix("req_")),
        limit_headers: LimitHeaders {
            fields: &[LimitField::new("x-ratelimit-limit-{quota}", LimitValue::Limit)],
            ..LimitHeaders::NONE
        },
        answers: Answers {
            credentials_missing: json(NO_KEY, UNNAMED, &[("message", "Send a key. {{…}}")])
                .challenge(Challenge::Bare),
            scope_missing: json(
                NO_KEY,
                SHAPE,
                &[
                    ("message", "You have insufficient permissions. Missing scopes: {scopes}."),
                    ("type", "invalid_request_error"),
                    ("code", "missing_scope"),
                ],
            )
            .challenge(Challenge::InsufficientScope),
            rate_limited: json(
                LIMITED,
                SHAPE,
                &[
                    (
                        "message",
                        "Rate limit reached for {account} on {quota}: Limit {limit}. \
                         Try again in {retry_after}s.",
                    ),
                    ("type", "{quota}"),
                    ("code", "rate_limit_exceeded"),
                ],
            )
            .headers(&[("x-should-retry", "true")]),
            ..PROFILE.answers
        },
        ..PROFILE
    }
};

/// The id of the request is in the header and in the body.
const ANTHROPIC: Profile = {
    const SHAPE: &str = r#"{"type":"error","error":{"type":"{type}","message":"{message}"},"request_id":"{request_id}"}"#;
    Profile {
        request_id: Some(RequestIdHeader::new("request-id").prefix("req_")),
        answers: Answers {
            credentials_missing: json(
                NO_KEY,
                SHAPE,
                &[("type", "authentication_error"), ("message", "x-api-key header is required")],
            )
            .challenge(Challenge::Bare),
            scope_missing: json(
                FORBIDDEN,
                SHAPE,
                &[("type", "permission_error"), ("message", "{key_id} lacks {scope}")],
            ),
            rate_limited: json(
                LIMITED,
                SHAPE,
                &[
                    ("type", "rate_limit_error"),
                    ("message", "{limit} requests in {window} seconds"),
                ],
            ),
            ..PROFILE.answers
        },
        ..PROFILE
    }
};

/// The URL of the documentation is in the body, and the limiter is named in a header.
const STRIPE: Profile = {
    const SHAPE: &str = r#"{"error":{"code":"{code}","doc_url":"{documentation_url}","message":"{message}","type":"invalid_request_error"}}"#;
    Profile {
        request_id: Some(RequestIdHeader::new("Request-Id").prefix("req_")),
        answers: Answers {
            key_unknown: json(
                NO_KEY,
                SHAPE,
                &[("code", "api_key_expired"), ("message", "Expired")],
            )
            .documentation_url("https://stripe.com/docs/error-codes/api-key-expired")
            .challenge(Challenge::Bare),
            scope_missing: json(
                FORBIDDEN,
                SHAPE,
                &[
                    ("code", "account_invalid"),
                    ("message", "The key {key_id} does not have {scope} on account {account}"),
                ],
            )
            .documentation_url("https://stripe.com/docs/error-codes/account-invalid"),
            rate_limited: Answer::new(
                LIMITED,
                ErrorBody::CodeAndMessage { code: "rate_limit", message: "Too many requests" },
            )
            .headers(&[
                ("Stripe-Rate-Limited-Reason", "{quota|global}-rate"),
                ("Stripe-Should-Retry", "true"),
            ]),
            ..PROFILE.answers
        },
        ..PROFILE
    }
};

/// Each answer has a `documentation_url` and the status as a text; the accepted permissions are in a header.
const GITHUB: Profile = {
    const SHAPE: &str =
        r#"{"message":"{message}","documentation_url":"{documentation_url}","status":"{status}"}"#;
    const fn github(status: StatusCode, message: Values) -> Answer<'static> {
        json(status, SHAPE, message).documentation_url("https://docs.github.com/rest")
    }
    Profile {
        answers: Answers {
            credentials_missing: github(NO_KEY, &[("message", "Requires authentication")])
                .challenge(Challenge::Bare),
            scope_missing: github(
                FORBIDDEN,
                &[("message", "Resource not accessible by personal access token")],
            )
            .headers(&[("X-Accepted-OAuth-Scopes", "{needed_scopes}")]),
            rate_limited: github(
                FORBIDDEN,
                &[("message", "API rate limit exceeded for {account}. ({request_id|no id})")],
            ),
            ..PROFILE.answers
        },
        request_id: Some(RequestIdHeader::new("X-GitHub-Request-Id").uuid()),
        ..PROFILE
    }
};

const SENDGRID: Profile = {
    const SHAPE: &str = r#"{"errors":[{"message":"{message}","field":null,"help":null}]}"#;
    Profile {
        answers: Answers {
            credentials_missing: json(
                NO_KEY,
                SHAPE,
                &[("message", "Permission denied, wrong credentials")],
            )
            .challenge(Challenge::Bare),
            scope_missing: json(FORBIDDEN, SHAPE, &[("message", "access forbidden")]),
            rate_limited: json(LIMITED, SHAPE, &[("message", "too many requests")]),
            ..PROFILE.answers
        },
        ..PROFILE
    }
};

/// The code is a number, and the details say where the request went.
const GOOGLE: Profile = {
    const SHAPE: &str = r#"{"error":{"code":"{#status}","message":"{message}","status":"{reason}","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","domain":"googleapis.com","metadata":{"service":"{path}","quota_limit":"{quota_limit}"}}]}}"#;
    Profile {
        answers: Answers {
            credentials_missing: json(
                FORBIDDEN,
                SHAPE,
                &[
                    ("message", "Method doesn't allow unregistered callers."),
                    ("reason", "PERMISSION_DENIED"),
                    ("quota_limit", ""),
                ],
            ),
            scope_missing: json(
                FORBIDDEN,
                SHAPE,
                &[("message", "{scope}"), ("reason", "PERMISSION_DENIED"), ("quota_limit", "")],
            ),
            rate_limited: json(
                LIMITED,
                SHAPE,
                &[
                    ("message", "Quota exceeded for quota metric '{quota}'."),
                    ("reason", "RESOURCE_EXHAUSTED"),
                    ("quota_limit", "{limit}"),
                ],
            ),
            ..PROFILE.answers
        },
        ..PROFILE
    }
};

const MINUTE: &[Quota] = &[Quota::new("requests", 1, Duration::from_secs(60))];

/// Returns the status, the body and the headers of a refusal. The id of the request is written as `ID`, and the
/// seconds to wait as `WAIT`.
async fn refused(profile: &Profile<'static>, requests: &[Request<()>]) -> (u16, String, String) {
    let routes = Routes::new()
        .get("/scoped", Route::new().all_of(&["users.read", "users.list"]))
        .get("/limited", Route::new().quotas(MINUTE));
    let builder = ApiKeyLayer::builder(*profile, store(|key| key.scopes(["users.list"])));
    let builder = builder.routes(routes).limits(MemoryLimiter::new(), OnLimiterFailure::Deny);
    let service = greeting(&builder.build().unwrap());
    let mut last = None;
    for request in requests {
        last = Some(send(&service, request.clone()).await);
    }
    let response = last.unwrap();
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let names = ["x-request-id", "request-id", "x-github-request-id"];
    let id = names.into_iter().find_map(header).unwrap_or("no id of this request").to_owned();
    let wait = format!("in {}s", header("retry-after").unwrap_or("no"));
    let plain = |text: &str| text.replace(&id, "ID").replace(&wait, "in WAITs");
    let own = ["x-should-retry", "stripe-", "x-accepted-", "x-ratelimit-"];
    let mut headers: Vec<String> = Vec::new();
    for (name, value) in response.headers() {
        if own.iter().any(|own| name.as_str().starts_with(own)) {
            headers.push(format!("{name}: {}", value.to_str().unwrap()));
        }
    }
    headers.sort();
    let (status, headers) = (response.status().as_u16(), headers.join(", "));
    (status, plain(&text(response).await), headers)
}

/// How a client comes to be refused.
#[derive(Debug, Clone, Copy)]
enum Asked {
    Missing,
    Unknown,
    Scoped,
    Limited,
}

impl Asked {
    /// Returns the requests of which the last is refused.
    fn requests(self) -> Vec<Request<()>> {
        match self {
            Self::Missing => vec![anonymous(Method::GET, "/scoped")],
            Self::Unknown => {
                let mut request = request(Method::GET, "/scoped");
                let other = "Bearer key_fedcba9876543210".parse().unwrap();
                request.headers_mut().insert("authorization", other);
                vec![request]
            }
            Self::Scoped => vec![request(Method::GET, "/scoped")],
            Self::Limited => {
                vec![request(Method::GET, "/limited"), request(Method::GET, "/limited")]
            }
        }
    }
}

/// The profile, and the status, body and headers of its refusal.
const REFUSALS: &[(&Profile<'static>, Asked, u16, &str, &str)] = &[
    (
        &OPENAI,
        Asked::Missing,
        401,
        r#"{"error":{"message":"Send a key. {…}","type":"invalid_request_error","param":null,"code":null}}"#,
        "",
    ),
    (
        &OPENAI,
        Asked::Scoped,
        401,
        r#"{"error":{"message":"You have insufficient permissions. Missing scopes: users.read.","type":"invalid_request_error","param":null,"code":"missing_scope"}}"#,
        "",
    ),
    (
        &OPENAI,
        Asked::Limited,
        429,
        r#"{"error":{"message":"Rate limit reached for acme on requests: Limit 1. Try again in WAITs.","type":"requests","param":null,"code":"rate_limit_exceeded"}}"#,
        "x-ratelimit-limit-requests: 1, x-should-retry: true",
    ),
    (
        &ANTHROPIC,
        Asked::Missing,
        401,
        r#"{"type":"error","error":{"type":"authentication_error","message":"x-api-key header is required"},"request_id":"ID"}"#,
        "",
    ),
    (
        &ANTHROPIC,
        Asked::Scoped,
        403,
        r#"{"type":"error","error":{"type":"permission_error","message":"key_1 lacks users.read"},"request_id":"ID"}"#,
        "",
    ),
    (
        &ANTHROPIC,
        Asked::Limited,
        429,
        r#"{"type":"error","error":{"type":"rate_limit_error","message":"1 requests in 60 seconds"},"request_id":"ID"}"#,
        "",
    ),
    (
        &STRIPE,
        Asked::Unknown,
        401,
        r#"{"error":{"code":"api_key_expired","doc_url":"https://stripe.com/docs/error-codes/api-key-expired","message":"Expired","type":"invalid_request_error"}}"#,
        "",
    ),
    (
        &STRIPE,
        Asked::Scoped,
        403,
        r#"{"error":{"code":"account_invalid","doc_url":"https://stripe.com/docs/error-codes/account-invalid","message":"The key key_1 does not have users.read on account acme","type":"invalid_request_error"}}"#,
        "",
    ),
    (
        &STRIPE,
        Asked::Limited,
        429,
        r#"{"error":{"code":"rate_limit","message":"Too many requests"}}"#,
        "stripe-rate-limited-reason: requests-rate, stripe-should-retry: true",
    ),
    (
        &GITHUB,
        Asked::Missing,
        401,
        r#"{"message":"Requires authentication","documentation_url":"https://docs.github.com/rest","status":"401"}"#,
        "",
    ),
    (
        &GITHUB,
        Asked::Scoped,
        403,
        r#"{"message":"Resource not accessible by personal access token","documentation_url":"https://docs.github.com/rest","status":"403"}"#,
        "x-accepted-oauth-scopes: users.read, users.list",
    ),
    (
        &GITHUB,
        Asked::Limited,
        403,
        r#"{"message":"API rate limit exceeded for acme. (ID)","documentation_url":"https://docs.github.com/rest","status":"403"}"#,
        "",
    ),
    (
        &SENDGRID,
        Asked::Missing,
        401,
        r#"{"errors":[{"message":"Permission denied, wrong credentials","field":null,"help":null}]}"#,
        "",
    ),
    (
        &GOOGLE,
        Asked::Missing,
        403,
        r#"{"error":{"code":403,"message":"Method doesn't allow unregistered callers.","status":"PERMISSION_DENIED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","domain":"googleapis.com","metadata":{"service":"/scoped","quota_limit":""}}]}}"#,
        "",
    ),
    (
        &GOOGLE,
        Asked::Limited,
        429,
        r#"{"error":{"code":429,"message":"Quota exceeded for quota metric 'requests'.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","domain":"googleapis.com","metadata":{"service":"/limited","quota_limit":"1"}}]}}"#,
        "",
    ),
];

#[tokio::test]
async fn vendors_refusals_with_facts_are_data() {
    for (profile, asked, status, body, headers) in REFUSALS {
        let refused = refused(profile, &asked.requests()).await;
        assert_eq!(refused, (*status, (*body).to_owned(), (*headers).to_owned()));
        serde_json::from_str::<serde_json::Value>(body).unwrap();
    }
}
