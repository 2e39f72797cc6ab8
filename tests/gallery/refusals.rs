//! The refusals of each vendor.

use super::clients::Asks::{Nothing, Outage, Scope, TooOften, Unknown, Well};
use super::clients::answer;
use super::profiles::{
    anthropic, datadog, deepl, elasticsearch, freshdesk, github, google, mailgun, openai, sendgrid,
    stripe, twilio,
};

const JSON: &str = "content-type: application/json";

#[tokio::test]
async fn refusals_are_those_that_the_vendors_document() {
    for (profile, asks, path, status, lines, body) in [
        (
            google::PROFILE,
            Unknown,
            "/maps/api/geocode/json",
            200,
            &[JSON][..],
            r#"{"error_message":"No.","results":[],"status":"REQUEST_DENIED"}"#,
        ),
        (
            google::PROFILE,
            Nothing,
            "/maps/api/directions/json",
            200,
            &[JSON][..],
            r#"{"error_message":"No.","routes":[],"status":"REQUEST_DENIED"}"#,
        ),
        (
            google::PROFILE,
            TooOften,
            "/maps/api/timezone/json",
            200,
            &[JSON, "retry-after: 60"][..],
            r#"{"errorMessage":"No.","status":"OVER_QUERY_LIMIT"}"#,
        ),
        (
            google::PROFILE,
            Outage,
            "/maps/api/timezonex",
            200,
            &[JSON][..],
            r#"{"error_message":"No.","results":[],"status":"UNKNOWN_ERROR"}"#,
        ),
        (deepl::PROFILE, Unknown, "/v2/translate", 403, &[][..], ""),
        (
            deepl::PROFILE,
            Nothing,
            "/v3/glossaries/1",
            401,
            &[JSON, "www-authenticate: DeepL-Auth-Key"][..],
            r#"{"message":"Unauthorized."}"#,
        ),
        (
            deepl::PROFILE,
            TooOften,
            "/v2/translate",
            456,
            &[JSON, "retry-after: 60"][..],
            r#"{"message":"Quota exceeded."}"#,
        ),
        (
            deepl::PROFILE,
            Outage,
            "/v2/translate",
            529,
            &[JSON][..],
            r#"{"message":"Too many requests."}"#,
        ),
        (
            elasticsearch::PROFILE,
            Nothing,
            "/_search",
            401,
            &[
                JSON,
                r#"www-authenticate: Basic realm="security", charset="UTF-8""#,
                r#"www-authenticate: Bearer realm="security""#,
                "www-authenticate: ApiKey",
                "x-elastic-product: Elasticsearch",
            ][..],
            r#"{"error":{"root_cause":[{"type":"security_exception","reason":"no credentials for [/_search]"}],"type":"security_exception","reason":"no credentials for [/_search]"},"status":401}"#,
        ),
        (
            elasticsearch::PROFILE,
            Scope,
            "/_search",
            403,
            &[JSON, "x-elastic-product: Elasticsearch"][..],
            r#"{"error":{"root_cause":[{"type":"security_exception","reason":"needs [users.write]"}],"type":"security_exception","reason":"needs [users.write]"},"status":403}"#,
        ),
        (
            anthropic::PROFILE,
            Unknown,
            "/v1/messages",
            401,
            &[JSON, r#"www-authenticate: Bearer realm="anthropic""#][..],
            r#"{"type":"error","error":{"type":"authentication_error","message":"No."}}"#,
        ),
        (
            anthropic::PROFILE,
            Scope,
            "/v1/messages",
            403,
            &[JSON][..],
            r#"{"type":"error","error":{"type":"permission_error","message":"No."}}"#,
        ),
        (
            anthropic::PROFILE,
            TooOften,
            "/v1/messages",
            429,
            &[JSON, "retry-after: 60", "x-should-retry: false"][..],
            r#"{"type":"error","error":{"type":"rate_limit_error","message":"No."}}"#,
        ),
        (
            anthropic::PROFILE,
            Outage,
            "/v1/messages",
            529,
            &[JSON][..],
            r#"{"type":"error","error":{"type":"overloaded_error","message":"No."}}"#,
        ),
        (
            openai::PROFILE,
            Scope,
            "/v1/models",
            401,
            &[JSON, r#"www-authenticate: Bearer realm="OpenAI API""#][..],
            r#"{"error":{"message":"Missing scopes: users.write","type":"invalid_request_error","param":null,"code":"missing_scope"}}"#,
        ),
        (
            stripe::PROFILE,
            Unknown,
            "/v1/charges",
            401,
            &[JSON, r#"www-authenticate: Basic realm="Stripe""#][..],
            r#"{"error":{"message":"No.","type":"invalid_request_error"}}"#,
        ),
        (
            twilio::PROFILE,
            Unknown,
            "/2010-04-01/Accounts",
            401,
            &[JSON, r#"www-authenticate: Basic realm="Twilio API""#][..],
            r#"{"code":20003,"message":"Authenticate","more_info":"https://www.twilio.com/docs/errors/20003","status":401}"#,
        ),
        (
            twilio::PROFILE,
            Unknown,
            "/v1/Services",
            401,
            &[JSON, r#"www-authenticate: Basic realm="Twilio API""#][..],
            r#"{"errors":[{"code":20003,"message":"Authenticate","infoUrl":"https://www.twilio.com/docs/errors/20003"}]}"#,
        ),
        (
            mailgun::PROFILE,
            Unknown,
            "/v3/messages",
            401,
            &[
                "content-type: text/plain; charset=utf-8",
                r#"www-authenticate: Basic realm="MG API""#,
            ][..],
            "Forbidden",
        ),
        (
            mailgun::PROFILE,
            TooOften,
            "/v3/messages",
            420,
            &[JSON, "retry-after: 60"][..],
            r#"{"message":"Limit of 1"}"#,
        ),
        (
            sendgrid::PROFILE,
            TooOften,
            "/v3/mail/send",
            401,
            &[JSON, "retry-after: 60", r#"www-authenticate: Bearer realm="test""#][..],
            r#"{"errors":[{"message":"Maximum credits exceeded","field":null,"help":null}]}"#,
        ),
        (
            datadog::PROFILE,
            Unknown,
            "/api/v1/metrics",
            403,
            &[JSON][..],
            r#"{"errors":["Forbidden"]}"#,
        ),
        (
            freshdesk::PROFILE,
            Unknown,
            "/api/v2/tickets",
            401,
            &[
                JSON,
                r#"www-authenticate: Bearer realm="test""#,
                "x-freshdesk-api-version: latest=v2; requested=v2",
            ][..],
            r#"{"code":"invalid_credentials","message":"No."}"#,
        ),
        (
            github::PROFILE,
            Unknown,
            "/user",
            401,
            &[JSON, r#"www-authenticate: Bearer realm="test", error="invalid_token""#][..],
            r#"{"message":"Bad credentials","documentation_url":"https://docs.github.com/rest","status":"401"}"#,
        ),
        (
            github::PROFILE,
            TooOften,
            "/user",
            403,
            &[JSON, "retry-after: 60"][..],
            r#"{"message":"API rate limit exceeded","documentation_url":"https://docs.github.com/rest","status":"403"}"#,
        ),
    ] {
        let mut expected = vec!["cache-control: no-store".to_owned()];
        expected.push(format!("content-length: {}", body.len()));
        expected.extend(lines.iter().map(|line| (*line).to_owned()));
        let expected = format!("{status}\n{}\n\n{body}", expected.join("\n"));
        assert_eq!(answer(&profile, asks, path).await, expected, "{asks:?} {path}");
    }
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
