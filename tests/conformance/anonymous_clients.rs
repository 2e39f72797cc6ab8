//! Quotas of clients without a key, on a socket: by the address of the peer, or as a trusted proxy names it.

use std::time::Duration;

use tower_api_key::key::Networks;
use tower_api_key::limits::{AnonymousQuotas, MemoryLimiter};
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::request::{ProxyHeaders, TrustedProxies};
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder};

use super::server::Server;
use super::wire::get;
use crate::support::{KEY, PROFILE, store};

fn gate() -> ApiKeyLayerBuilder {
    let one = Quota::new("anonymous", 1, Duration::from_secs(3_600));
    ApiKeyLayer::builder(PROFILE, store(|key| key))
        .limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
        .optional()
        .anonymous_quotas(AnonymousQuotas::new([one]))
}

#[tokio::test]
async fn a_proxy_names_the_network_that_counts() {
    let networks = Networks::new(["127.0.0.0/8"]).unwrap();
    let proxies = TrustedProxies::new(networks, ProxyHeaders::XForwarded);
    let server = Server::plain(&gate().trusted_proxies(proxies).build().unwrap()).await;
    for (forwarded, status) in [
        ("192.0.2.1", 200),
        ("192.0.2.1", 429),
        ("::ffff:192.0.2.1", 429),
        ("[::ffff:c000:0201]:4711", 429),
        // What a client adds on the left changes nothing.
        ("198.51.100.1, 192.0.2.1", 429),
        ("192.0.2.2", 200),
        ("2001:db8:1:2::1", 200),
        ("2001:DB8:1:2:ffff:ffff:ffff:ffff", 429),
        ("[2001:db8:1:2::3]:4711", 429),
        ("2001:db8:1:3::1", 200),
        // Nobody knows who these are, so they are one network.
        ("unknown", 200),
        ("192.0.2.3.4", 429),
        ("", 429),
    ] {
        let lines = format!("X-Forwarded-For: {forwarded}\r\nX-Forwarded-Proto: https\r\n");
        let answer = get(&server, &lines).await;
        assert_eq!(answer.status(), status, "{forwarded}");
        let field = |name| answer.field(name).map(str::to_owned);
        assert_eq!(field("ratelimit-remaining").as_deref(), Some("0"), "{forwarded}");
        assert_eq!(field("retry-after").is_some(), status == 429, "{forwarded}");
        // A key from that network serves.
        let keyed = get(&server, format!("Authorization: Bearer {KEY}\r\n{lines}")).await;
        assert_eq!(keyed.status(), 200, "{forwarded}");
        assert_eq!(keyed.field("ratelimit-remaining"), None, "the account has no quota");
    }
    assert_eq!(get(&server, "X-Forwarded-For: 192.0.2.9\r\n").await.status(), 400, "plain HTTP");
}

#[tokio::test]
async fn a_client_does_not_choose_its_network() {
    let server = Server::start(&gate().build().unwrap()).await;
    for (address, status) in [("192.0.2.1", 200), ("192.0.2.2", 429), ("2001:db8::1", 429)] {
        let lines = format!("X-Forwarded-For: {address}\r\nForwarded: for=\"[{address}]\"\r\n");
        assert_eq!(get(&server, lines).await.status(), status, "{address}");
    }
}
