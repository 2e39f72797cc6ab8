//! Persona, through its demo routes.

use std::process::Command;

use serde_json::Value;

use crate::curl::{Answer, NOWHERE, at_once, bearer, curl};
use crate::server::Demo;

const VENDOR: &str = "persona";
const INQUIRIES: &str = "/api/v1/inquiries";

fn call(demo: &Demo, label: &str, arguments: &[&str], path: &str) -> Answer {
    let url = format!("{}{path}", demo.https());
    let header = bearer(demo, VENDOR, label);
    curl(demo, &[&["-H", &header], arguments, &[&url]].concat())
}

fn body(title: &str, details: &str) -> String {
    format!(r#"{{"errors":[{{"title":"{title}","details":"{details}"}}]}}"#)
}

fn forbidden() -> String {
    body("Forbidden", "The API key does not have permission to perform this action.")
}

fn ids(answer: &Answer) -> Vec<String> {
    let data = answer.json()["data"].as_array().unwrap().clone();
    data.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn inquiries_belong_to_their_organization() {
    let demo = Demo::start(&[]);
    let production = call(&demo, "production", &[], INQUIRIES);
    assert_eq!(production.status, 200, "{production:?}");
    let [ours, ..] = &ids(&production)[..] else { panic!("{production:?}") };
    let path = format!("{INQUIRIES}/{ours}");
    assert_eq!(call(&demo, "production", &[], &path).json()["data"]["id"], **ours);
    let strangers = call(&demo, "sandbox", &[], &path);
    assert_eq!(strangers.status, 404, "{strangers:?}");
    assert!(strangers.json()["errors"][0]["title"].is_string());

    let create = ["-d", r#"{"data":{"attributes":{"reference-id":"r1"}}}"#];
    let created = call(&demo, "production", &create, INQUIRIES);
    assert_eq!(created.status, 200, "{created:?}");
    assert_eq!(created.json()["data"]["attributes"]["reference-id"], "r1");
    assert!(call(&demo, "production", &[], INQUIRIES).body.contains(r#""r1""#));
    assert!(!call(&demo, "sandbox", &[], INQUIRIES).body.contains(r#""r1""#));
    for path in ["/api/v1/accounts", "/api/v1/reports"] {
        assert_eq!(call(&demo, "sandbox", &[], path).status, 200, "{path}");
    }
    assert_eq!(call(&demo, "sandbox", &["-d", "{}"], "/api/v1/reports").status, 200);
    let broken = call(&demo, "sandbox", &["-d", "{"], "/api/v1/reports");
    assert_eq!(broken.status, 400);
    assert_eq!(broken.json()["errors"][0]["title"], "Bad request");
}

#[test]
fn every_authenticated_answer_names_its_principal_and_limits() {
    let demo = Demo::start(&[]);
    let mut requests = Vec::new();
    for (label, environment, path, status) in [
        ("production", "production", INQUIRIES, 200),
        ("sandbox", "sandbox", INQUIRIES, 200),
        ("inquiry_reader", "production", "/api/v1/accounts", 403),
        ("office", "production", INQUIRIES, 403),
        ("production", "production", "/api/v1/inquiries/none", 404),
    ] {
        let answer = call(&demo, label, &[], path);
        assert_eq!(answer.status, status, "{label} {path}");
        assert_eq!(answer.header("persona-environment-id"), Some(environment));
        let organization = answer.header("persona-organization-id").unwrap();
        assert!(organization.starts_with("org_"), "{organization}");
        assert_eq!(answer.number("ratelimit-limit"), 300);
        assert!(answer.number("ratelimit-remaining") <= 300);
        assert!(answer.number("ratelimit-reset") <= 60);
        let request = answer.header("request-id").unwrap().to_owned();
        assert!(request.starts_with("req_") && !requests.contains(&request));
        requests.push(request);
    }
    let limits = call(&demo, "local", &[], "/api/v1/rate-limits");
    let told = &limits.json()["data"][0]["attributes"];
    assert_eq!(told["limit"], limits.number("ratelimit-limit"));
    assert_eq!(told["remaining"], limits.number("ratelimit-remaining"));
}

#[test]
fn looking_at_the_rate_limit_takes_nothing_from_it() {
    let demo = Demo::start(&[]);
    let look = |remaining: u64| {
        let limits = call(&demo, "local", &[], "/api/v1/rate-limits");
        assert_eq!(limits.status, 200, "{limits:?}");
        let object = &limits.json()["data"][0];
        assert_eq!((&object["type"], &object["id"]), (&"rate-limit".into(), &"minute".into()));
        let told = &object["attributes"];
        assert_eq!(told["limit"], 300);
        assert_eq!(told["remaining"], limits.number("ratelimit-remaining"));
        assert_eq!(told["reset-seconds"], limits.number("ratelimit-reset"));
        assert!(limits.number("ratelimit-remaining") >= remaining, "{limits:?}");
    };
    for _ in 0..10 {
        look(300);
    }
    // The bucket is full again after a moment.
    assert_eq!(call(&demo, "local", &[], INQUIRIES).number("ratelimit-remaining"), 299);
    look(299);
}

#[test]
fn permissions_and_networks_are_per_key() {
    let demo = Demo::start(&[]);
    let scoped =
        |scope| format!(r#"Bearer realm="Persona", error="insufficient_scope", scope="{scope}""#);
    assert_eq!(call(&demo, "inquiry_reader", &[], INQUIRIES).status, 200);
    assert_eq!(call(&demo, "inquiry_reader", &["--head"], INQUIRIES).status, 200);
    for (label, arguments, path, scope) in [
        ("inquiry_reader", &["-d", "{}"][..], INQUIRIES, "inquiry.write"),
        ("inquiry_reader", &[], "/api/v1/reports", "report.read"),
        ("production", &[], "/api/v1/api-keys", "api_key.read"),
        ("sandbox", &[], "/api/v1/api-keys", "api_key.read"),
    ] {
        let answer = call(&demo, label, arguments, path);
        answer.is_refusal(403, &forbidden(), Some(&scoped(scope)));
    }
    let keys = call(&demo, "key_admin", &[], "/api/v1/api-keys");
    assert_eq!(ids(&keys), ["key_persona_inquiry_reader", "key_persona_key_admin"]);
    for label in ["inquiry_reader", "key_admin"] {
        let secret = demo.key(VENDOR, label);
        assert!(!keys.body.contains(secret), "{keys:?}");
    }
    call(&demo, "office", &[], INQUIRIES).is_refusal(
        403,
        &body("Forbidden", "The API key may not be used from this IP address."),
        None,
    );
    assert_eq!(call(&demo, "local", &[], INQUIRIES).status, 200);
    let unlisted = call(&demo, "unlisted", &[], INQUIRIES);
    let invalid = body("Unauthorized", "The API key is invalid.");
    let challenge = r#"Bearer realm="Persona", error="invalid_token""#;
    unlisted.is_refusal(401, &invalid, Some(challenge));
    assert_eq!(unlisted.header("persona-organization-id"), None);
    let url = format!("{}{INQUIRIES}", demo.https());
    let missing = body("Unauthorized", "An API key is required.");
    curl(&demo, &[&url]).is_refusal(401, &missing, Some(r#"Bearer realm="Persona""#));
}

#[test]
fn the_bucket_of_an_organization_runs_over() {
    let demo = Demo::start(&[]);
    // Curl's own counting sends them over one connection, faster than the bucket drains.
    let burst = format!("{}{INQUIRIES}?n=[1-300]", demo.https());
    let header = bearer(&demo, VENDOR, "production");
    let sent = Command::new("curl")
        .args(["-q", "--silent", "--fail", "--output"])
        .args([NOWHERE, "--cacert", demo.certificate()])
        .args(["-H", &header, &burst])
        .status();
    assert!(sent.unwrap().success(), "300 requests pass");
    let url = format!("{}{INQUIRIES}", demo.https());
    let answers = at_once(&demo, 40, &["-H", &header, &url]);
    let refused = answers.iter().find(|answer| answer.status == 429);
    let refused = refused.expect("40 more are too many");
    let limited = body("Too many requests", "The rate limit was exceeded.");
    refused.is_refusal(429, &limited, None);
    assert_eq!(refused.number("ratelimit-limit"), 300);
    assert_eq!(refused.number("ratelimit-remaining"), 0);
    assert!((1..=60).contains(&refused.number("retry-after")));
    assert_eq!(call(&demo, "sandbox", &[], INQUIRIES).status, 200);
}

#[test]
fn keys_choose_how_they_are_answered() {
    let demo = Demo::start(&[]);
    let attributes = |label, headers: &[&str]| -> Value {
        let arguments: Vec<&str> = headers.iter().flat_map(|header| ["-H", header]).collect();
        let answer = call(&demo, label, &arguments, INQUIRIES);
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("vary"), Some("key-inflection"));
        answer.json()["data"][0]["attributes"].clone()
    };
    let usual = attributes("production", &[]);
    assert!(usual["social-security-number"].is_string(), "{usual}");
    assert!(usual["fields"]["birthdate"].is_string(), "{usual}");
    let camel = attributes("production", &["Key-Inflection: camel"]);
    assert_eq!(camel["fields"]["nameFirst"], usual["fields"]["name-first"]);
    let own = attributes("inquiry_reader", &[]);
    assert!(own["referenceId"].is_string(), "the key's own: {own}");
    assert_eq!(own["socialSecurityNumber"], Value::Null, "blocked: {own}");
    assert_eq!(own["fields"]["birthdate"], Value::Null, "blocked: {own}");
    let snake = attributes("inquiry_reader", &["Key-Inflection: snake"]);
    assert!(snake["reference_id"].is_string(), "the header's: {snake}");
    assert_eq!(snake["social_security_number"], Value::Null, "{snake}");
    let wrong = call(&demo, "production", &["-H", "Key-Inflection: loud"], INQUIRIES);
    let refused = body("Bad request", "A required header is missing or invalid.");
    wrong.is_refusal(400, &refused, Some(r#"Bearer realm="Persona", error="invalid_request""#));
}
