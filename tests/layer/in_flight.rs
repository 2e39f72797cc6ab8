//! A header with the number of simultaneous requests, and a header that names the account.

use std::convert::Infallible;
use std::sync::Arc;

use http::{HeaderMap, Method, Request, Response};
use tokio::sync::Notify;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::concurrency::Concurrency;
use tower_api_key::profile::{Expected, PrincipalHeader, PrincipalValue, RequiredHeader};
use tower_api_key::rules::{Route, Routes};
use tower_api_key::{ApiKeyLayer, Profile};

use crate::support::{PROFILE, greeting, request, send, store};

const IN_FLIGHT: &[PrincipalHeader<'_>] =
    &[PrincipalHeader { name: "x-in-flight", value: PrincipalValue::InFlight }];

fn stated(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-in-flight").map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn requests_in_flight_are_counted_on_routes_with_a_limit() {
    let profile = Profile { principal_headers: IN_FLIGHT, ..PROFILE };
    let routes = Routes::new()
        .get("/two", Route::new().concurrency(Concurrency::new(2)))
        .get("/free", Route::new());
    let layer = ApiKeyLayer::builder(profile, store(|key| key)).routes(routes).build().unwrap();
    let end = Arc::new(Notify::new());
    let inner = service_fn({
        let end = Arc::clone(&end);
        move |request: Request<()>| {
            let end = Arc::clone(&end);
            async move {
                if request.uri().query() == Some("wait") {
                    end.notified().await;
                }
                Ok::<_, Infallible>(Response::new(String::new()))
            }
        }
    });
    let gate = layer.layer(inner);
    let ask = |path: &str| gate.clone().oneshot(request(Method::GET, path));
    // The body of a response holds its permit.
    let first = ask("/two").await.unwrap();
    assert_eq!(stated(first.headers()), Some("1"));
    let waiting = tokio::spawn(ask("/two?wait"));
    tokio::task::yield_now().await;
    let refused = ask("/two").await.unwrap();
    assert_eq!((refused.status().as_u16(), stated(refused.headers())), (429, Some("2")));
    end.notify_one();
    let second = waiting.await.unwrap().unwrap();
    assert_eq!(stated(second.headers()), Some("2"));
    drop((first, second));
    assert_eq!(stated(ask("/two").await.unwrap().headers()), Some("1"));
    assert_eq!(stated(ask("/free").await.unwrap().headers()), None);
}

#[tokio::test]
async fn a_header_may_name_no_other_account() {
    let own = RequiredHeader { name: "x-organization", expected: Expected::OwnAccount };
    let optional = Expected::AbsentOr(&Expected::OwnAccount);
    for (expected, value, status) in [
        (Expected::OwnAccount, Some("acme"), 200),
        (Expected::OwnAccount, Some("other"), 403),
        (Expected::OwnAccount, None, 400),
        (optional, Some("acme"), 200),
        (optional, Some("other"), 403),
        (optional, None, 200),
    ] {
        let required = [RequiredHeader { expected, ..own }];
        let profile = Profile { required_headers: &required, ..PROFILE };
        let layer = ApiKeyLayer::builder(profile, store(|key| key)).build().unwrap();
        let mut asked = request(Method::GET, "/");
        if let Some(value) = value {
            asked.headers_mut().insert("x-organization", value.parse().unwrap());
        }
        assert_eq!(send(&greeting(&layer), asked).await.status(), status, "{expected:?} {value:?}");
    }
}
