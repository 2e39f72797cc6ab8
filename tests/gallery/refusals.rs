//! The refusals of each vendor.

use tower_api_key::Profile;

use super::clients::Asks::{self, Nothing, Outage, Scope, TooOften, Unknown, Well};
use super::clients::answer;
use super::profiles::{
    anthropic, datadog, deepl, elasticsearch, freshdesk, github, google, mailgun, openai, sendgrid,
    stripe, twilio,
};

const JSON: &str = "content-type: application/json";

/// What a client does, the path, and the answer: status, header lines besides two that all have, and body.
type Refusal<'a> = (Asks, &'a str, u16, &'a [&'a str], &'a str);

async fn are_to_the_byte(profile: &Profile<'_>, refusals: &[Refusal<'_>]) {
    for (asks, path, status, lines, body) in refusals {
        let mut expected = vec!["cache-control: no-store".to_owned()];
        expected.push(format!("content-length: {}", body.len()));
        expected.extend(lines.iter().map(|line| (*line).to_owned()));
        let expected = format!("{status}\n{}\n\n{body}", expected.join("\n"));
        assert_eq!(answer(profile, *asks, path).await, expected, "{asks:?} {path}");
    }
}

/// Status 200, and a container that depends on the path.
#[tokio::test]
async fn google_refuses_as_documented() {
    let refusals: &[Refusal<'_>] = &[
        (
            Unknown,
            "/maps/api/geocode/json",
            200,
            &[JSON],
            r#"{"error_message":"No.","results":[],"status":"REQUEST_DENIED"}"#,
        ),
        (
            Nothing,
            "/maps/api/directions/json",
            200,
            &[JSON],
            r#"{"error_message":"No.","routes":[],"status":"REQUEST_DENIED"}"#,
        ),
        (
            TooOften,
            "/maps/api/timezone/json",
            200,
            &[JSON, "retry-after: 60"],
            r#"{"errorMessage":"No.","status":"OVER_QUERY_LIMIT"}"#,
        ),
        (
            Outage,
            "/maps/api/timezonex",
            200,
            &[JSON],
            r#"{"error_message":"No.","results":[],"status":"UNKNOWN_ERROR"}"#,
        ),
    ];
    are_to_the_byte(&google::PROFILE, refusals).await;
}

/// 403 without content, 456, 529, and 401 below one prefix.
#[tokio::test]
async fn deepl_refuses_as_documented() {
    let refusals: &[Refusal<'_>] = &[
        (
            Nothing,
            "/v3/glossaries/1",
            401,
            &[JSON, "www-authenticate: DeepL-Auth-Key"],
            r#"{"message":"Unauthorized."}"#,
        ),
        (
            TooOften,
            "/v2/translate",
            456,
            &[JSON, "retry-after: 60"],
            r#"{"message":"Quota exceeded."}"#,
        ),
        (Outage, "/v2/translate", 529, &[JSON], r#"{"message":"Too many requests."}"#),
    ];
    are_to_the_byte(&deepl::PROFILE, refusals).await;
}

/// Three challenges, and the header that its client demands.
#[tokio::test]
async fn elasticsearch_refuses_as_documented() {
    let refusals: &[Refusal<'_>] = &[
        (
            Nothing,
            "/_search",
            401,
            &[
                JSON,
                r#"www-authenticate: Basic realm="security", charset="UTF-8""#,
                r#"www-authenticate: Bearer realm="security""#,
                "www-authenticate: ApiKey",
                "x-elastic-product: Elasticsearch",
            ],
            r#"{"error":{"root_cause":[{"type":"security_exception","reason":"no credentials for [/_search]"}],"type":"security_exception","reason":"no credentials for [/_search]"},"status":401}"#,
        ),
        (
            Scope,
            "/_search",
            403,
            &[JSON, "x-elastic-product: Elasticsearch"],
            r#"{"error":{"root_cause":[{"type":"security_exception","reason":"needs [users.write]"}],"type":"security_exception","reason":"needs [users.write]"},"status":403}"#,
        ),
    ];
    are_to_the_byte(&elasticsearch::PROFILE, refusals).await;
}

/// 529, and the word that keeps its client from retrying.
#[tokio::test]
async fn anthropic_refuses_as_documented() {
    let refusals: &[Refusal<'_>] = &[
        (
            Unknown,
            "/v1/messages",
            401,
            &[JSON, r#"www-authenticate: Bearer realm="anthropic""#],
            r#"{"type":"error","error":{"type":"authentication_error","message":"No."}}"#,
        ),
        (
            Scope,
            "/v1/messages",
            403,
            &[JSON],
            r#"{"type":"error","error":{"type":"permission_error","message":"No."}}"#,
        ),
        (
            TooOften,
            "/v1/messages",
            429,
            &[JSON, "retry-after: 60", "x-should-retry: false"],
            r#"{"type":"error","error":{"type":"rate_limit_error","message":"No."}}"#,
        ),
        (
            Outage,
            "/v1/messages",
            529,
            &[JSON],
            r#"{"type":"error","error":{"type":"overloaded_error","message":"No."}}"#,
        ),
    ];
    are_to_the_byte(&anthropic::PROFILE, refusals).await;
}

/// A lacking scope is 401, and named.
#[tokio::test]
async fn openai_refuses_as_documented() {
    let refusals: &[Refusal<'_>] = &[(
        Scope,
        "/v1/models",
        401,
        &[JSON, r#"www-authenticate: Bearer realm="OpenAI API""#],
        r#"{"error":{"message":"Missing scopes: users.write","type":"invalid_request_error","param":null,"code":"missing_scope"}}"#,
    )];
    are_to_the_byte(&openai::PROFILE, refusals).await;
}

/// One challenge of two schemes.
#[tokio::test]
async fn stripe_refuses_as_documented() {
    let refusals: &[Refusal<'_>] = &[(
        Unknown,
        "/v1/charges",
        401,
        &[JSON, r#"www-authenticate: Basic realm="Stripe""#],
        r#"{"error":{"message":"No.","type":"invalid_request_error"}}"#,
    )];
    are_to_the_byte(&stripe::PROFILE, refusals).await;
}

/// The form of the body depends on the path.
#[tokio::test]
async fn twilio_refuses_as_documented() {
    let refusals: &[Refusal<'_>] = &[
        (
            Unknown,
            "/2010-04-01/Accounts",
            401,
            &[JSON, r#"www-authenticate: Basic realm="Twilio API""#],
            r#"{"code":20003,"message":"Authenticate","more_info":"https://www.twilio.com/docs/errors/20003","status":401}"#,
        ),
        (
            Unknown,
            "/v1/Services",
            401,
            &[JSON, r#"www-authenticate: Basic realm="Twilio API""#],
            r#"{"errors":[{"code":20003,"message":"Authenticate","infoUrl":"https://www.twilio.com/docs/errors/20003"}]}"#,
        ),
    ];
    are_to_the_byte(&twilio::PROFILE, refusals).await;
}

/// A bare word, and 420.
#[tokio::test]
async fn mailgun_refuses_as_documented() {
    let refusals: &[Refusal<'_>] = &[
        (
            Unknown,
            "/v3/messages",
            401,
            &[
                "content-type: text/plain; charset=utf-8",
                r#"www-authenticate: Basic realm="MG API""#,
            ],
            "Forbidden",
        ),
        (TooOften, "/v3/messages", 420, &[JSON, "retry-after: 60"], r#"{"message":"Limit of 1"}"#),
    ];
    are_to_the_byte(&mailgun::PROFILE, refusals).await;
}

/// 401 for a used quota.
#[tokio::test]
async fn sendgrid_refuses_as_documented() {
    let refusals: &[Refusal<'_>] = &[(
        TooOften,
        "/v3/mail/send",
        401,
        &[JSON, "retry-after: 60", r#"www-authenticate: Bearer realm="test""#],
        r#"{"errors":[{"message":"Maximum credits exceeded","field":null,"help":null}]}"#,
    )];
    are_to_the_byte(&sendgrid::PROFILE, refusals).await;
}

/// 403 for a bad key.
#[tokio::test]
async fn datadog_refuses_as_documented() {
    let refusals: &[Refusal<'_>] =
        &[(Unknown, "/api/v1/metrics", 403, &[JSON], r#"{"errors":["Forbidden"]}"#)];
    are_to_the_byte(&datadog::PROFILE, refusals).await;
}

/// A version on each answer.
#[tokio::test]
async fn freshdesk_refuses_as_documented() {
    let refusals: &[Refusal<'_>] = &[(
        Unknown,
        "/api/v2/tickets",
        401,
        &[
            JSON,
            r#"www-authenticate: Bearer realm="test""#,
            "x-freshdesk-api-version: latest=v2; requested=v2",
        ],
        r#"{"code":"invalid_credentials","message":"No."}"#,
    )];
    are_to_the_byte(&freshdesk::PROFILE, refusals).await;
}

/// 403 for a used quota.
#[tokio::test]
async fn github_refuses_as_documented() {
    let refusals: &[Refusal<'_>] = &[
        (
            Unknown,
            "/user",
            401,
            &[JSON, r#"www-authenticate: Bearer realm="test", error="invalid_token""#],
            r#"{"message":"Bad credentials","documentation_url":"https://docs.github.com/rest","status":"401"}"#,
        ),
        (
            TooOften,
            "/user",
            403,
            &[JSON, "retry-after: 60"],
            r#"{"message":"API rate limit exceeded","documentation_url":"https://docs.github.com/rest","status":"403"}"#,
        ),
    ];
    are_to_the_byte(&github::PROFILE, refusals).await;
}

/// Elasticsearch's client takes no success without the header, and Freshdesk documents its version on each answer.
#[tokio::test]
async fn fixed_headers_are_on_successes_too() {
    for (profile, line) in [
        (elasticsearch::PROFILE, "x-elastic-product: Elasticsearch"),
        (freshdesk::PROFILE, "x-freshdesk-api-version: latest=v2; requested=v2"),
    ] {
        let expected = format!("200\n{line}\n\nhello acme");
        assert_eq!(answer(&profile, Well, "/api/v2/tickets").await, expected);
    }
}
