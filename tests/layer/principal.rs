//! The names of principal headers are the gate's: whatever a service writes under them, a client sees the
//! gate's word or none.

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::key::KeyRecordBuilder;
use tower_api_key::profile::{PrincipalHeader, PrincipalValue};
use tower_api_key::{ApiKeyLayer, Denial, Profile, refusal};

use crate::support::{PROFILE, anonymous, request, store};

const TOLD: Profile = Profile {
    principal_headers: &[
        header("x-tenant", PrincipalValue::Metadata("tenant")),
        header("x-environment", PrincipalValue::Environment),
        header("x-account", PrincipalValue::Account),
        header("x-plan", PrincipalValue::Metadata("plan")),
    ],
    ..PROFILE
};
const NAMES: [&str; 4] = ["x-tenant", "x-environment", "x-account", "x-plan"];

const fn header(name: &'static str, value: PrincipalValue<'static>) -> PrincipalHeader<'static> {
    PrincipalHeader { name, value }
}

/// Lists what a client sees under the gate's names, of a service that writes all of them twice.
async fn seen(
    profile: &Profile<'_>,
    change: fn(KeyRecordBuilder) -> KeyRecordBuilder,
    request: Request<()>,
) -> Vec<String> {
    let layer = ApiKeyLayer::builder(*profile, store(change)).optional().build().unwrap();
    let service = layer.layer(service_fn(|request: Request<()>| async move {
        let mut response = if request.uri().path() == "/refused" {
            refusal(Denial::InternalError)
        } else {
            Response::new(Full::<Bytes>::default())
        };
        for name in NAMES.into_iter().chain(["x-own", "request-id"]) {
            for _ in 0..2 {
                response.headers_mut().append(name, "services".parse().unwrap());
            }
        }
        Ok::<_, std::convert::Infallible>(response)
    }));
    let response = service.oneshot(request).await.unwrap();
    let own = response.headers().get_all("x-own").iter().count();
    assert!(own == 2 || response.status() != 200, "what is not the gate's stays");
    told(response.headers())
}

fn told(headers: &HeaderMap) -> Vec<String> {
    let lines = |name: &&'static str| {
        let name = *name;
        let text =
            |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers.get_all(name).iter().map(move |value| format!("{name}: {}", text(value)))
    };
    NAMES.iter().flat_map(lines).collect()
}

#[tokio::test]
async fn a_service_never_speaks_under_a_name_of_the_gates() {
    let nothing: fn(KeyRecordBuilder) -> KeyRecordBuilder = |key| key;
    let known = || request(Method::GET, "/");
    assert_eq!(seen(&TOLD, nothing, known()).await, ["x-account: acme"]);
    assert!(seen(&TOLD, nothing, anonymous(Method::GET, "/")).await.is_empty());
    let gold = seen(&TOLD, |key| key.metadata("plan", "gold").environment("live"), known()).await;
    let expected = ["x-environment: live", "x-account: acme", "x-plan: gold"];
    assert_eq!(gold, expected);
    let both = |key: KeyRecordBuilder| key.metadata("plan", "gold").metadata("tenant", "t");
    assert_eq!(
        seen(&TOLD, both, known()).await,
        ["x-tenant: t", "x-account: acme", "x-plan: gold"]
    );
    for path in ["/refused"] {
        assert_eq!(seen(&TOLD, nothing, request(Method::GET, path)).await, ["x-account: acme"]);
        assert!(seen(&TOLD, nothing, anonymous(Method::GET, path)).await.is_empty());
    }
}

/// A recipient cuts blanks off both ends, and would read another value.
#[tokio::test]
async fn a_value_that_http_does_not_carry_is_left_out() {
    let known = || request(Method::GET, "/");
    for change in [
        // Stores may have such from before they were refused.
        (|key| key.as_stored().metadata("tenant", "a\r\nset-cookie: x"))
            as fn(KeyRecordBuilder) -> _,
        |key| key.as_stored().metadata("tenant", "a\0"),
        |key| key.as_stored().metadata("tenant", "a\u{7f}"),
        |key| key.as_stored().metadata("tenant", "\n"),
        |key| key.metadata("tenant", " a"),
        |key| key.as_stored().metadata("tenant", "a\t"),
        |key| key.metadata("tenant", " "),
        |key| key.metadata("other", "a"),
    ] {
        assert_eq!(seen(&TOLD, change, known()).await, ["x-account: acme"]);
    }
    let spaced = seen(&TOLD, |key| key.metadata("tenant", "a b"), known()).await;
    assert_eq!(spaced, ["x-tenant: a b", "x-account: acme"]);
    let empty = seen(&TOLD, |key| key.metadata("tenant", ""), known()).await;
    assert_eq!(empty, ["x-tenant: ", "x-account: acme"]);
}

/// Nor is a number of a request of the service's own passed off as the gate's.
#[tokio::test]
async fn a_stranger_gets_no_request_id_of_the_services() {
    const NUMBERED: Profile = Profile {
        principal_headers: &[header("request-id", PrincipalValue::RequestId("req_"))],
        ..PROFILE
    };
    let layer = ApiKeyLayer::builder(NUMBERED, store(|key| key)).optional().build().unwrap();
    let service = layer.layer(service_fn(|_: Request<()>| async {
        let response = Response::builder().header("request-id", "forged");
        Ok::<_, std::convert::Infallible>(response.body(Full::<Bytes>::default()).unwrap())
    }));
    let stranger = service.clone().oneshot(anonymous(Method::GET, "/")).await.unwrap();
    assert_eq!(stranger.headers().get("request-id"), None);
    let known = service.oneshot(request(Method::GET, "/")).await.unwrap();
    assert!(known.headers()["request-id"].to_str().unwrap().starts_with("req_"));
}
