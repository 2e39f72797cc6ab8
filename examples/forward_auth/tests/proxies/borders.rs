//! What `docs/forward-auth.md` says of the borders of single proxies.

use forward_auth::Proxy;
use http::HeaderValue;
use tower_api_key::profile::CustomBody;

use crate::upstream::Received;
use crate::world::World;

/// A long refusal passes whole, except through nginx, where it is in a header.
async fn long_refusals(proxy: Proxy) {
    for length in [8_000, 60_000] {
        let body = "r".repeat(length);
        let made = body.clone();
        let world = World::before(
            proxy,
            |text| text,
            |gate| {
                let made = made.clone();
                gate.body_from(move |_| {
                    let content_type = HeaderValue::from_static("text/plain");
                    Some(CustomBody { content_type, content: made.clone().into() })
                })
            },
        );
        let Some(world) = world.await else { return };
        let answer = world.send("GET /v1/users", "", "").await;
        let whole = proxy != Proxy::Nginx || length < 9_000;
        let expected = if whole { &*body } else { "" };
        assert_eq!((answer.status, &*answer.body), (401, expected), "{:?}", answer.fields);
        assert_eq!(answer.lines("www-authenticate").len(), 2);
    }
}

#[tokio::test]
async fn nginx_passes_on_a_long_refusal() {
    long_refusals(Proxy::Nginx).await;
}

#[tokio::test]
async fn traefik_passes_on_a_long_refusal() {
    long_refusals(Proxy::Traefik).await;
}

#[tokio::test]
async fn caddy_passes_on_a_long_refusal() {
    long_refusals(Proxy::Caddy).await;
}

#[tokio::test]
async fn envoy_passes_on_a_long_refusal() {
    long_refusals(Proxy::Envoy).await;
}

/// Why the shipped configuration of Caddy looks at `Connection`.
#[tokio::test]
async fn without_a_line_of_caddys_a_client_removes_its_identity() {
    let without = |text: String| text.replace("respond @hop 400", "");
    let Some(world) = World::with(Proxy::Caddy, without).await else { return };
    let lines = "X-Api-Key: {active}\nConnection: close, x-account-id\n";
    let answer = world.send("GET /v1/users", lines, "").await;
    assert_eq!(answer.status, 200);
    assert_eq!(Received::of(&answer).field("x-account-id"), None);
}
