//! The gate and axum agree on the pattern that a path belongs to, whatever the client makes of it.

use std::slice;

use axum::Router;
use axum::body::Body;
use axum::extract::RawPathParams;
use axum::routing::any;
use http::{Method, Request, Response};
use tower::Layer;
use tower::util::{BoxCloneSyncService, MapResponse, ServiceExt};
use tower_api_key::ApiKeyLayer;
use tower_api_key::rules::{Otherwise, Route, Routes};

use crate::support::{PROFILE, reason, request, store, text};

/// The table's and the router's alike. Each pattern is the name of the scope that it needs.
static PATTERNS: [&str; 16] = [
    "/",
    "/{*rest}",
    "/reports",
    "/reports/",
    "/reports/{id}",
    "/reports/v{n}",
    "/reports/v{n}/",
    "/reports/v{n}/secret",
    "/reports/ver/secret",
    "/reports/ver/{id}",
    "/of/{tenant}/v{n}/s{y}",
    "/of/{tenant}/{id}/",
    "/where/id={n}",
    "/where/id={n}/{*more}",
    "/files/{*rest}",
    "/files/x{*rest}",
];

/// Every path of up to four of these segments is tried.
const SEGMENTS: [&str; 12] =
    ["", "reports", "where", "files", "of", "v", "v1", "ver", "id=", "id=7", "x", "secret"];

type Service = BoxCloneSyncService<Request<Body>, Response<Body>, std::convert::Infallible>;

/// Answers with the pattern that axum picked, and whether a parameter of it was empty.
fn router() -> Router {
    PATTERNS.iter().fold(Router::new(), |router, pattern| {
        let answer = move |parameters: RawPathParams| async move {
            let empty = parameters.iter().any(|(_, value)| value.is_empty());
            format!("{pattern} {empty}")
        };
        router.route(pattern, any(answer))
    })
}

/// Guards the router with a table of the same patterns, for a key with these scopes.
fn gate(scopes: impl Fn(&str) -> bool, otherwise: Otherwise) -> Service {
    let routes = PATTERNS.iter().fold(Routes::new(), |routes, pattern| {
        routes.on(&[], *pattern, Route::new().all_of(slice::from_ref(pattern)))
    });
    let scopes: Vec<&str> = PATTERNS.into_iter().filter(|pattern| scopes(pattern)).collect();
    let gate = ApiKeyLayer::builder(PROFILE, store(|key| key.scopes(scopes)))
        .routes(routes.otherwise(otherwise))
        .build();
    let gated = gate.unwrap().layer(router());
    let gated = MapResponse::new(gated, |response: Response<_>| response.map(Body::new));
    BoxCloneSyncService::new(gated)
}

fn paths() -> Vec<String> {
    let mut paths = vec![String::new()];
    let mut all = Vec::new();
    for _ in 0..4 {
        let longer = paths.iter().flat_map(|path| SEGMENTS.map(|next| format!("{path}/{next}")));
        paths = longer.collect();
        all.extend_from_slice(&paths);
    }
    all
}

async fn send(service: &Service, path: &str) -> Response<Body> {
    let request = request(Method::GET, path).map(|()| Body::empty());
    service.clone().oneshot(request).await.unwrap()
}

#[tokio::test]
async fn the_row_that_the_gate_applies_is_the_route_that_axum_picks() {
    let bare = BoxCloneSyncService::new(router());
    let with = PATTERNS.map(|scope| gate(|other| other == scope, Otherwise::Deny));
    let without = PATTERNS.map(|scope| gate(|other| other != scope, Otherwise::Deny));
    let every = gate(|_| true, Otherwise::Need(Route::new()));
    let mut seen = PATTERNS.map(|_| 0);
    for path in paths() {
        let answer = send(&bare, &path).await;
        let picked = (answer.status() == 200).then_some(text(answer).await);
        let (pattern, empty) = match &picked {
            Some(picked) => picked.split_once(' ').unwrap(),
            None => ("none", "false"),
        };
        // Another router might take an empty parameter for none, and pick another route.
        if path.contains("//") || empty == "true" {
            assert_eq!(reason(&send(&every, &path).await), "route_unknown", "{path} {pattern}");
            continue;
        }
        let Some(index) = PATTERNS.iter().position(|known| *known == pattern) else {
            assert_eq!(send(&every, &path).await.status(), 404, "{path}");
            continue;
        };
        seen[index] += 1;
        let passed = send(&with[index], &path).await;
        assert_eq!(reason(&passed), "admitted", "{path} {pattern}");
        assert_eq!(text(passed).await, format!("{pattern} false"), "{path}");
        let refused = send(&without[index], &path).await;
        assert_eq!(reason(&refused), "scope_missing", "{path} {pattern}");
    }
    for (pattern, count) in PATTERNS.iter().zip(seen) {
        assert!(count > 0, "no path leads to {pattern}");
    }
}

#[tokio::test]
async fn an_empty_parameter_opens_no_route() {
    let gate = gate(|scope| scope == "/{*rest}", Otherwise::Need(Route::new()));
    for (path, expected) in [
        ("/reports/v/secret", "route_unknown"),
        ("/reports/v7/secret", "scope_missing"),
        ("/where/id=/x", "route_unknown"),
        ("/reports/x/other", "admitted"),
    ] {
        assert_eq!(reason(&send(&gate, path).await), expected, "{path}");
    }
}
