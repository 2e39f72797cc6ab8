//! Document and gate agree, both ways: each answer of the gate is in the document as it is, and each status of the
//! document can be provoked. The requests are made without any code that the document is made with.

use std::collections::BTreeSet;
use std::time::Duration;

use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{KeyFormat, KeyRecordBuilder};
use tower_api_key::profile::PathAnswers;
use tower_api_key::quota::Quota;
use tower_api_key::request::Connection;
use tower_api_key::{Denial, Profile, vendors};

use super::facts::{FACTS, MADE};
use super::response::{check_refusal, check_success};
use super::world::{Setting, UNLUCKY, World};
use crate::support::Body;

type Change = fn(KeyRecordBuilder) -> KeyRecordBuilder;

/// The changes of a key, of which a gate can refuse each.
const KEYS: [Change; 12] = [
    |key| key.revoked(true),
    |key| key.disabled(true),
    |key| key.not_before(Timestamp::from_unix_seconds(9_000_000_000)),
    |key| key.expires(Timestamp::from_unix_seconds(1)),
    |key| key.environment("other"),
    |key| key.networks(["192.0.2.0/24"]),
    |key| key.kind("alien"),
    |key| key.kind("organization"),
    |key| key.scopes(["nothing"]),
    |key| key.quotas([Quota::new("own", 1, Duration::from_secs(3_600))]),
    |key| key,
    |key| key.scopes(["a", "x"]),
];

/// An answer of the gate, with the body as text.
pub(super) struct Answered {
    pub(super) denial: Option<Denial>,
    pub(super) parts: http::response::Parts,
    pub(super) body: String,
}

async fn answered(response: Response<Body>) -> Answered {
    let denial = response.extensions().get::<Denial>().cloned();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answered { denial, parts, body: String::from_utf8(body.to_vec()).unwrap() }
}

/// Sends all that a gate could refuse to an operation, and returns all answers.
async fn provoke(world: &World, method: &Method, path: &str) -> Vec<Answered> {
    let mut answers = Vec::new();
    let request = || world.request(method, path);
    let send = async |request: Request<()>| world.service.clone().oneshot(request).await.unwrap();
    let mut tell = async |request: Request<()>| {
        let response = send(request).await;
        answers.push(answered(response).await);
    };
    let good = |change: Change| world.key(change);
    // Each client twice: the second request of a network is over the limit of those without a key.
    for edit in [
        |request: &mut Request<()>| {
            request.extensions_mut().remove::<Connection>();
        },
        |_: &mut Request<()>| {},
        |request: &mut Request<()>| {
            request.headers_mut().append("authorization", "Digest x".parse().unwrap());
        },
        |request: &mut Request<()>| {
            request.headers_mut().append("authorization", "Basic !".parse().unwrap());
        },
        |request: &mut Request<()>| {
            request.headers_mut().append("authorization", "Bearer a b".parse().unwrap());
        },
    ] {
        let mut refused = request();
        edit(&mut refused);
        tell(refused.clone()).await;
        tell(refused).await;
    }
    for key in ["short".to_owned(), world.unknown_key()] {
        let refused = world.with_key(request(), &key);
        for _ in 0..4 {
            tell(refused.clone()).await;
        }
    }
    let key = good(|key| key);
    tell(world.with_key(world.with_key(request(), &key), &key)).await;
    tell(world.with_key(request(), &world.failing_key())).await;
    for change in KEYS {
        let request = world.with_key(request(), &good(change));
        for _ in 0..3 {
            tell(request.clone()).await;
        }
    }
    let key = world.key_of(UNLUCKY);
    tell(world.with_key(request(), &key)).await;
    let mut bare = world.with_key(request(), &good(|key| key));
    bare.headers_mut().retain_only_authorization();
    tell(bare).await;
    let mut hanging = world.with_key(request(), &good(|key| key));
    hanging.headers_mut().insert("x-hang", "1".parse().unwrap());
    let limit = tokio::time::timeout(Duration::from_secs(1), send(hanging)).await;
    if let Ok(response) = limit {
        answers.push(answered(response).await);
    }
    // The first response keeps its permit.
    let held = send(world.with_key(request(), &good(|key| key))).await;
    let second = send(world.with_key(request(), &good(|key| key))).await;
    answers.push(answered(second).await);
    drop(held);
    answers
}

trait Strip {
    fn retain_only_authorization(&mut self);
}

impl Strip for http::HeaderMap {
    fn retain_only_authorization(&mut self) {
        let kept = self.get("authorization").cloned();
        self.clear();
        self.extend(kept.map(|value| (http::header::AUTHORIZATION, value)));
    }
}

/// Checks every operation of a gate's document.
async fn agrees(
    name: &str,
    profile: Profile<'static>,
    format: KeyFormat<'static>,
    environment: Option<&'static str>,
) {
    for setting in [Setting::Counting, Setting::Bare, Setting::Open] {
        let world = World::new(profile, format, environment, setting);
        let document = world.layer.openapi().document(name, "1").unwrap();
        let paths = document["paths"].as_object().unwrap();
        assert_eq!(paths.len(), 8, "{name}");
        for (path, item) in paths {
            for (method, operation) in item.as_object().unwrap() {
                let place = format!("{name} {setting:?} {method} {path}");
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                // No operation uses up the quotas of another.
                let world = World::new(profile, format, environment, setting);
                let mut answers = Vec::new();
                for value in ["acme", "globex", UNLUCKY, "a%2Fb"] {
                    let path = path.replace("{org}", value).replace("{id}", value);
                    answers.extend(provoke(&world, &method, &path).await);
                    if !operation["parameters"].to_string().contains("path") {
                        break;
                    }
                }
                let mut statuses = BTreeSet::new();
                let mut reasons = BTreeSet::new();
                let mut names = BTreeSet::new();
                for answer in &answers {
                    match &answer.denial {
                        Some(denial) => {
                            statuses.insert(answer.parts.status.as_u16().to_string());
                            names.insert(denial.name());
                            reasons.insert((answer.parts.status.as_u16(), reason(denial)));
                            check_refusal(&document, operation, answer, &place);
                        }
                        None => check_success(&document, operation, answer, &place),
                    }
                }
                assert!(
                    answers.iter().any(|answer| answer.parts.status == StatusCode::OK),
                    "{place}"
                );
                let responses = operation["responses"].as_object().unwrap();
                let documented: BTreeSet<String> =
                    responses.keys().filter(|key| key.parse::<u16>().is_ok()).cloned().collect();
                assert_eq!(statuses, documented, "{place}: provoked {names:?}");
                assert_eq!(reasons, documented_reasons(&document, operation), "{place}");
                for example in examples(&document, operation) {
                    let known = names.iter().any(|name| example.starts_with(name));
                    assert!(known, "{place}: {example} is not among {names:?}");
                }
            }
        }
    }
}

/// Returns a denial as documents describe it, without the numbers of one refusal.
fn reason(denial: &Denial) -> String {
    match denial {
        Denial::TooManyFailures { .. } => "too many attempts of the client's network failed".into(),
        Denial::CredentialsMalformed(_) => "the credential is malformed".into(),
        Denial::RateLimited { .. } => "a request limit is exceeded".into(),
        Denial::TimedOut { .. } => "the time budget is spent".into(),
        Denial::HeaderRefused { header, .. } => {
            format!("the required header `{header}` is missing or not acceptable")
        }
        other => other.to_string(),
    }
}

/// Lists the reasons of all refusals that a document describes, each with its status.
fn documented_reasons(document: &Value, operation: &Value) -> BTreeSet<(u16, String)> {
    let mut found = BTreeSet::new();
    for (status, response) in operation["responses"].as_object().unwrap() {
        let Ok(status) = status.parse() else { continue };
        let response = super::response::resolved(document, response);
        let (_, reasons) = response["description"].as_str().unwrap().split_once(": ").unwrap();
        let reasons = reasons.trim_end_matches('.').split("; ");
        let reasons = reasons.filter(|reason| *reason != "the path is ambiguous");
        found.extend(reasons.map(|reason| (status, reason.to_owned())));
    }
    found
}

/// Lists the names of all examples of an operation.
fn examples(document: &Value, operation: &Value) -> Vec<String> {
    let responses = operation["responses"].as_object().unwrap().values();
    let resolved = responses.map(|response| super::response::resolved(document, response));
    let media = resolved.filter_map(|response| response["content"].as_object());
    let examples =
        media.flat_map(|media| media.values()).filter_map(|it| it["examples"].as_object());
    examples.flat_map(|examples| examples.keys().cloned()).collect()
}

macro_rules! agreement {
    ($($test:ident: $profile:expr, $format:expr, $environment:expr;)*) => {$(
        #[tokio::test(start_paused = true)]
        async fn $test() {
            agrees(stringify!($test), $profile, $format, $environment).await;
        }
    )*};
}

const FAMILIES: Profile = Profile {
    answers_by_path: &[
        PathAnswers { prefix: "/params", answers: vendors::REST_INTEGRATIONS.answers },
        PathAnswers { prefix: "/scoped", answers: vendors::PERSONYZE.answers },
    ],
    ..Profile::STANDARD
};

agreement! {
    standard: Profile::STANDARD, KeyFormat::STANDARD, Some("test");
    personyze: vendors::PERSONYZE, vendors::personyze::ISSUED, None;
    rest_integrations: vendors::REST_INTEGRATIONS, vendors::rest_integrations::ISSUED, None;
    polyteia: vendors::POLYTEIA, vendors::polyteia::ISSUED, None;
    persona: vendors::PERSONA, vendors::persona::ISSUED, Some("production");
    polytomic: vendors::POLYTOMIC, vendors::polytomic::ISSUED, None;
    families: FAMILIES, KeyFormat::STANDARD, Some("test");
    facts: FACTS, KeyFormat::STANDARD, Some("test");
    made: MADE, KeyFormat::STANDARD, Some("test");
}
