//! Elasticsearch: the id and the secret of a key in base64, three challenges that the body repeats, and a header on
//! every answer.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::door::{Known, answer, open, refuses, request, without_store};

const IDENTIFIER: &str = "VuaCfGcBCdbkQm-e5aOx";
const SECRET: &str = "ui2lp2axTNmsyakw9tvNnw";
const JSON: &str = "content-type: application/json";
const PRODUCT: &str = "x-elastic-product: Elasticsearch";
const CHALLENGES: [&str; 3] = [
    r#"www-authenticate: Basic realm="security", charset="UTF-8""#,
    r#"www-authenticate: Bearer realm="security""#,
    "www-authenticate: ApiKey",
];

const KEY: Known<'_> =
    Known { id: IDENTIFIER, account: "elastic", scopes: &["monitor"], ..Known::new(SECRET) };

fn encoded(id: &str, secret: &str) -> String {
    format!("ApiKey {}", STANDARD.encode(format!("{id}:{secret}")))
}

fn unauthorized(reason: &str) -> String {
    let header = r#""header":{"WWW-Authenticate":["Basic realm=\"security\", charset=\"UTF-8\"","Bearer realm=\"security\"","ApiKey"]}"#;
    let kind = r#""type":"security_exception""#;
    format!(
        r#"{{"error":{{"root_cause":[{{{kind},"reason":"{reason}",{header}}}],{kind},"reason":"{reason}",{header}}},"status":401}}"#
    )
}

fn of_kind(kind: &str, reason: &str, status: u16) -> String {
    let cause = format!(r#""type":"{kind}","reason":"{reason}""#);
    format!(r#"{{"error":{{"root_cause":[{{{cause}}}],{cause}}},"status":{status}}}"#)
}

#[tokio::test]
async fn keys_are_refused_with_three_challenges() {
    let door = open("elasticsearch", &[KEY]);
    let good = encoded(IDENTIFIER, SECRET);
    let admitted = answer(&door, request("GET /", &[("authorization", &good)])).await;
    assert!(admitted.starts_with("200\n") && admitted.contains(PRODUCT), "{admitted}");
    let headers = [&[JSON, PRODUCT], &CHALLENGES[..]].concat();
    let missing = unauthorized("missing authentication credentials for REST request [/_search]");
    refuses(&door, request("GET /_search", &[]), 401, &headers, &missing).await;
    let invalid = unauthorized(
        "unable to authenticate with provided credentials and anonymous access is not allowed for this request",
    );
    for value in [
        encoded(IDENTIFIER, "wi2lp2axTNmsyakw9tvNnw"),
        encoded("WuaCfGcBCdbkQm-e5aOx", SECRET),
        encoded(IDENTIFIER, "short"),
        "ApiKey no-base64!".to_owned(),
    ] {
        let asked = request("GET /", &[("authorization", &value)]);
        refuses(&door, asked, 401, &headers, &invalid).await;
    }
    let door = open("elasticsearch", &[Known { revoked: true, ..KEY }]);
    let asked = request("GET /", &[("authorization", &good)]);
    refuses(&door, asked, 401, &headers, &invalid).await;
}

#[tokio::test]
async fn other_refusals_have_a_kind() {
    let good = encoded(IDENTIFIER, SECRET);
    let asked = |line| request(line, &[("authorization", &good)]);
    let door = open("elasticsearch", &[Known { quota: Some(("requests", 1)), ..KEY }]);
    let reason = "request [POST /demo/_doc] is unauthorized for API key id [VuaCfGcBCdbkQm-e5aOx] of user [elastic], because it needs the privileges [write]";
    let scope = of_kind("security_exception", reason, 403);
    refuses(&door, asked("POST /demo/_doc"), 403, &[JSON, PRODUCT], &scope).await;
    answer(&door, asked("GET /")).await;
    let limited =
        of_kind("es_rejected_execution_exception", "rejected execution: too many requests", 429);
    refuses(&door, asked("GET /"), 429, &[JSON, PRODUCT, "retry-after: 60"], &limited).await;
    let down = of_kind("cluster_block_exception", "the keys are unavailable", 503);
    let door = without_store("elasticsearch");
    refuses(&door, asked("GET /"), 503, &[JSON, PRODUCT, "retry-after: 5"], &down).await;
}
