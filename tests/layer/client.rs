//! What handlers learn of the client: what is proven, and nothing else.

use std::convert::Infallible;
use std::net::IpAddr;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::key::Networks;
use tower_api_key::request::{Client, Connection, ProxyHeaders, TrustedProxies};
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder};

use super::decision::preflight;
use crate::support::{PROFILE, anonymous, request, store};

fn builder() -> ApiKeyLayerBuilder {
    let networks = Networks::new(["10.0.0.0/8"]).unwrap();
    ApiKeyLayer::builder(PROFILE, store(|key| key))
        .trusted_proxies(TrustedProxies::new(networks, ProxyHeaders::Forwarded))
        .optional()
        .allow_preflight()
}

/// Returns the client that the inner service finds.
async fn found(layer: &ApiKeyLayer, request: Request<()>) -> Option<Client> {
    let service = layer.layer(service_fn(|request: Request<()>| async move {
        let mut response = Response::new(Full::<Bytes>::default());
        response.extensions_mut().insert(request.extensions().get::<Client>().copied());
        Ok::<_, Infallible>(response)
    }));
    let response = service.oneshot(request).await.unwrap();
    response.extensions().get::<Option<Client>>().copied().flatten()
}

fn from(mut request: Request<()>, connection: Connection, forwarded: &str) -> Request<()> {
    request.extensions_mut().insert(connection);
    request.headers_mut().insert("forwarded", forwarded.parse().unwrap());
    request
}

#[tokio::test]
async fn a_handler_finds_the_client_behind_trusted_proxies() {
    let layer = builder().client_in_request().build().unwrap();
    let client = |address: &str, https| Client { address: address.parse::<IpAddr>().ok(), https };
    let proxy = Connection::plain("10.0.0.1:1".parse().unwrap());
    let direct = Connection::tls("192.0.2.1:1".parse().unwrap());
    for request in [request(Method::GET, "/"), anonymous(Method::GET, "/"), preflight()] {
        for (connection, forwarded, expected) in [
            (proxy, "for=198.51.100.7;proto=https", client("198.51.100.7", true)),
            (proxy, "for=203.0.113.9, for=198.51.100.7;proto=https", client("198.51.100.7", true)),
            (proxy, "for=unknown;proto=https", Client { address: None, https: true }),
            // The header of a client proves nothing.
            (direct, "for=198.51.100.7;proto=https", client("192.0.2.1", true)),
        ] {
            let sent = from(request.clone(), connection, forwarded);
            let case = format!("{} {forwarded}", sent.method());
            assert_eq!(found(&layer, sent).await, Some(expected), "{case}");
        }
    }
}

#[tokio::test]
async fn a_request_has_no_client_unless_the_builder_asks_for_it() {
    let layer = builder().build().unwrap();
    assert_eq!(found(&layer, request(Method::GET, "/")).await, None);
}

/// `assume_https` admits the request, and proves nothing.
#[tokio::test]
async fn what_is_assumed_is_not_proven() {
    let layer = builder().client_in_request().assume_https().build().unwrap();
    let mut request = request(Method::GET, "/");
    request.extensions_mut().insert(Connection::plain("192.0.2.1:1".parse().unwrap()));
    let expected = Client { address: "192.0.2.1".parse().ok(), https: false };
    assert_eq!(found(&layer, request).await, Some(expected));
}
