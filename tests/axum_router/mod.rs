//! The gate in axum routers: nesting, merging, fallbacks, extractors, and handlers that refuse.

mod families;
#[cfg(feature = "tracing")]
mod logged;
mod matching;
mod nesting;
mod patterns;
mod query;

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::routing::{get, post};
use http::{Method, Request, Response};
use tower::{Layer, ServiceExt};
use tower_api_key::key::Networks;
use tower_api_key::request::{Connection, ProxyHeaders, TrustedProxies};
use tower_api_key::rules::{Route, Routes};
use tower_api_key::{ApiKeyLayer, Denial, Grant};

use crate::support::{PROFILE, anonymous, reason, request, store, text};

fn layer(routes: Routes) -> ApiKeyLayer {
    let store = store(|key| key.scopes(["users.read"]));
    ApiKeyLayer::builder(PROFILE, store).routes(routes).optional().build().unwrap()
}

async fn send(router: &Router, request: Request<()>) -> Response<Body> {
    router.clone().oneshot(request.map(|()| Body::empty())).await.unwrap()
}

async fn whose(grant: Grant) -> String {
    grant.account().to_string()
}

async fn perhaps(grant: Option<Grant>) -> String {
    grant.map_or("stranger".to_owned(), |grant| grant.account().to_string())
}

#[tokio::test]
async fn routes_match_the_path_as_the_client_sent_it() {
    let read = Route::new().all_of(&["users.read"]);
    let write = Route::new().all_of(&["users.write"]);
    let routes = Routes::new()
        .on(&[Method::GET], "/v1/users/{id}", read)
        .on(&[Method::POST], "/v1/users/{id}", write)
        .on(&[], "/elsewhere", read)
        .on(&[], "/v1/missing", read);
    let users = Router::new().route("/users/{id}", get(whose).post(whose));
    let inside = Router::new().nest("/v1", users.clone().layer(layer(routes.clone())));
    let outside = Router::new().nest("/v1", users.clone()).layer(layer(routes.clone()));
    let merged = Router::new()
        .route("/elsewhere", get(whose))
        .merge(Router::new().nest("/v1", users))
        .fallback(|| async { "nothing here" })
        .layer(layer(routes));
    for (router, method, path, expected) in [
        (&inside, Method::GET, "/v1/users/7", "admitted"),
        (&inside, Method::POST, "/v1/users/7", "scope_missing"),
        (&inside, Method::DELETE, "/v1/users/7", "route_unknown"),
        (&outside, Method::GET, "/v1/users/7", "admitted"),
        (&outside, Method::POST, "/v1/users/7", "scope_missing"),
        (&outside, Method::GET, "/v1/other", "route_unknown"),
        (&merged, Method::GET, "/elsewhere", "admitted"),
        (&merged, Method::POST, "/v1/users/7", "scope_missing"),
        (&merged, Method::GET, "/v1/missing", "admitted"),
        (&merged, Method::GET, "/nowhere", "route_unknown"),
        (&merged, Method::GET, "/v1/users/%37", "route_unknown"),
    ] {
        let response = send(router, request(method.clone(), path)).await;
        assert_eq!(reason(&response), expected, "{method} {path}");
    }
    let fallback = send(&merged, request(Method::GET, "/v1/missing")).await;
    assert_eq!(text(fallback).await, "nothing here", "the fallback is behind the gate");
}

#[tokio::test]
async fn a_handler_that_takes_a_grant_answers_strangers_like_the_vendor() {
    let open = Routes::new().on(&[], "/{*rest}", Route::new());
    let router = Router::new()
        .route("/whose", get(whose))
        .route("/perhaps", get(perhaps))
        .layer(layer(open));
    let known = send(&router, request(Method::GET, "/whose")).await;
    assert_eq!(text(known).await, "acme");
    let stranger = send(&router, anonymous(Method::GET, "/whose")).await;
    assert_eq!((reason(&stranger), stranger.status().as_u16()), ("credentials_missing", 401));
    assert_eq!(text(stranger).await, r#"{"error":"Missing API key."}"#);
    assert_eq!(text(send(&router, request(Method::GET, "/perhaps")).await).await, "acme");
    assert_eq!(text(send(&router, anonymous(Method::GET, "/perhaps")).await).await, "stranger");
}

#[tokio::test]
async fn a_handler_refuses_in_the_vendors_words() {
    async fn write(grant: Grant) -> Result<&'static str, Denial> {
        grant.require("users.write")?;
        Ok("written")
    }
    async fn either(grant: Grant) -> Result<&'static str, Denial> {
        grant.require_any(&["users.write", "users.read"])?;
        Ok("done")
    }
    async fn elsewhere() -> Result<(), Denial> {
        Err(Denial::AccountMismatch)
    }
    let open = Routes::new().on(&[], "/{*rest}", Route::new());
    let bare = Router::new()
        .route("/write", post(write))
        .route("/either", post(either))
        .route("/elsewhere", get(elsewhere));
    let router = bare.clone().layer(layer(open));
    let refused = send(&router, request(Method::POST, "/write")).await;
    assert_eq!((reason(&refused), refused.status().as_u16()), ("scope_missing", 403));
    let challenge =
        r#"Bearer realm="REST API Integrations", error="insufficient_scope", scope="users.write""#;
    let challenge = challenge.replace("REST API Integrations", PROFILE.realm);
    assert_eq!(refused.headers()["www-authenticate"], challenge);
    let body = r#"{"error":"You do not have permission to perform this action."}"#;
    assert_eq!(text(refused).await, body);
    assert_eq!(text(send(&router, request(Method::POST, "/either")).await).await, "done");
    let other = send(&router, request(Method::GET, "/elsewhere")).await;
    assert_eq!((reason(&other), other.status().as_u16()), ("account_mismatch", 403));
    let ungated = send(&bare, request(Method::GET, "/elsewhere")).await;
    assert_eq!(ungated.status(), 403, "without a gate it still refuses");
    assert_eq!(
        send(&bare, request(Method::POST, "/write")).await.status(),
        500,
        "and a grant is not there"
    );
}

#[tokio::test]
async fn the_peer_that_axum_noted_counts_and_proves_no_https() {
    let trusted = Networks::new(["10.0.0.0/8"]).unwrap();
    let store = store(|key| key.networks(["192.0.2.0/24"]));
    let layer = ApiKeyLayer::builder(PROFILE, store)
        .trusted_proxies(TrustedProxies::new(trusted, ProxyHeaders::XForwarded))
        .build()
        .unwrap();
    let router = Router::new().route("/", get(whose)).layer(layer);
    let from = |peer: &str| {
        let mut request = request(Method::GET, "/");
        request.extensions_mut().remove::<Connection>();
        request.extensions_mut().insert(ConnectInfo::<SocketAddr>(peer.parse().unwrap()));
        let headers = request.headers_mut();
        headers.insert("x-forwarded-for", "192.0.2.7".parse().unwrap());
        headers.insert("x-forwarded-proto", "https".parse().unwrap());
        request
    };
    assert_eq!(reason(&send(&router, from("10.0.0.1:1")).await), "admitted");
    assert_eq!(reason(&send(&router, from("192.0.2.7:1")).await), "insecure_transport");
}

#[tokio::test]
async fn a_scope_that_the_client_chose_ends_no_attribute() {
    async fn chosen(grant: Grant, scope: String) -> Result<(), Denial> {
        grant.require(&scope)
    }
    let open = Routes::new().on(&[], "/{*rest}", Route::new());
    let router = Router::new().route("/chosen", post(chosen)).layer(layer(open));
    let evil = r#"a", error_uri="https://evil.example"#;
    let request = request(Method::POST, "/chosen").map(|()| Body::from(evil));
    let response = router.oneshot(request).await.unwrap();
    assert_eq!(reason(&response), "scope_missing");
    let challenge = response.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.ends_with(r#"error="insufficient_scope""#), "{challenge}");
}

/// Cuts `/old` off the path, as an outer layer that rewrites old URLs would.
fn cut<B>(mut request: Request<B>) -> Request<B> {
    let path = request.uri().path().trim_start_matches("/old").to_owned();
    *request.uri_mut() = path.parse().unwrap();
    request
}

#[tokio::test]
async fn a_handler_outside_of_any_gate_is_a_mistake_of_the_program() {
    let ungated = Router::new().route("/whose", get(whose)).route("/perhaps", get(perhaps));
    let response = send(&ungated, request(Method::GET, "/whose")).await;
    assert_eq!(response.status(), 500);
    assert_eq!(response.extensions().get(), Some(&tower_api_key::axum::MissingGrant));
    assert_eq!(text(response).await, "no API-key gate wraps this handler");
    assert_eq!(send(&ungated, request(Method::GET, "/perhaps")).await.status(), 200);

    let gate = ApiKeyLayer::builder(PROFILE, store(|key| key)).optional().build().unwrap();
    let gated = Router::new().route("/whose", get(whose)).layer(gate);
    let response = send(&gated, anonymous(Method::GET, "/whose")).await;
    assert_eq!((reason(&response), response.status().as_u16()), ("credentials_missing", 401));
}

#[tokio::test]
async fn a_rewritten_path_is_matched_as_the_routers_behind_see_it() {
    let routes = Routes::new()
        .on(&[], "/admin", Route::new().all_of(&["admin"]))
        .on(&[], "/v1/users", Route::new().all_of(&["admin"]))
        .on(&[], "/{tenant}/own", Route::new())
        .on(&[], "/old/{*rest}", Route::new());
    let guarded = Router::new().route("/admin", get(whose)).layer(layer(routes.clone()));
    let app = Router::new().fallback_service(tower::util::MapRequest::new(guarded, cut));
    let response = send(&app, request(Method::GET, "/old/admin")).await;
    assert_eq!(reason(&response), "scope_missing", "not the open /old/{{*rest}}");

    let users = Router::new().route("/users", get(whose)).layer(layer(routes.clone()));
    let nested = Router::new().nest("/v1", users);
    let app = Router::new().fallback_service(tower::util::MapRequest::new(nested, cut));
    let response = send(&app, request(Method::GET, "/old/v1/users")).await;
    assert_eq!(reason(&response), "route_unknown", "refused, for nobody knows what was cut");

    let own = Router::new().route("/own", get(whose)).layer(layer(routes));
    let app = Router::new().nest("/{tenant}", own.clone()).nest_service("/service", own);
    for path in ["/acme/own", "/service/own"] {
        assert_eq!(reason(&send(&app, request(Method::GET, path)).await), "admitted", "{path}");
    }
}

#[tokio::test]
async fn a_gate_around_the_whole_router_hides_which_paths_exist() {
    let known = || Router::new().route("/v1/users", post(whose));
    let routes = || Routes::new().on(&[], "/{*rest}", Route::new().all_of(&["users.read"]));
    let inside = known().layer(layer(routes()));
    let around = Router::new().fallback_service(layer(routes()).layer(known()));
    for (router, path, allow) in [
        (&inside, "/v1/users", Some("POST")),
        (&inside, "/v1/other", None),
        (&around, "/v1/users", None),
        (&around, "/v1/other", None),
    ] {
        let refused = send(router, anonymous(Method::GET, path)).await;
        assert_eq!((reason(&refused), refused.status().as_u16()), ("credentials_missing", 401));
        let told = refused.headers().get("allow").map(|value| value.to_str().unwrap());
        assert_eq!(told, allow, "{path}");
    }
    let served = send(&around, request(Method::POST, "/v1/users")).await;
    assert_eq!(text(served).await, "acme");
    let served = send(&around, request(Method::GET, "/v1/users")).await;
    assert_eq!(served.status(), 405);
    assert_eq!(served.headers()["allow"], "POST", "who has a key is told");
}

/// A body that comes over HTTP/2 need not be announced by a field.
#[tokio::test]
async fn a_preflight_with_a_body_reaches_no_handler() {
    let gate = ApiKeyLayer::builder(PROFILE, store(|key| key));
    let gate = gate.allow_preflight().build().unwrap();
    let router = Router::new().fallback(|body: String| async { body }).layer(gate);
    let preflight = |body: Body| {
        let mut request = anonymous(Method::OPTIONS, "/").map(|()| body);
        let headers = request.headers_mut();
        headers.insert("origin", "https://app.example.com".parse().unwrap());
        headers.insert("access-control-request-method", "PUT".parse().unwrap());
        router.clone().oneshot(request)
    };
    assert_eq!(reason(&preflight(Body::empty()).await.unwrap()), "admitted");
    let refused = preflight(Body::from("a stranger's words")).await.unwrap();
    assert_eq!(reason(&refused), "credentials_missing");
}

#[tokio::test]
async fn a_handler_takes_the_client_of_a_gate_that_leaves_it() {
    use tower_api_key::axum::MissingClient;
    use tower_api_key::request::Client;
    let address = |client: Client| async move { format!("{:?}", client.address) };
    let gate = || ApiKeyLayer::builder(PROFILE, store(|key| key)).optional();
    let routes = || Router::new().route("/", get(address));
    let gated = routes().layer(gate().client_in_request().build().unwrap());
    for request in [request(Method::GET, "/"), anonymous(Method::GET, "/")] {
        assert_eq!(text(send(&gated, request).await).await, "Some(192.0.2.1)");
    }
    for router in [routes(), routes().layer(gate().build().unwrap())] {
        let response = send(&router, request(Method::GET, "/")).await;
        assert_eq!(response.status(), 500);
        assert!(response.extensions().get::<MissingClient>().is_some());
    }
}
