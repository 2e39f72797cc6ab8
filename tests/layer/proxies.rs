//! What a trusted proxy's word on HTTPS does: a key over `wss` is served, one over `ws` is exposed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{Method, Request};
use tower_api_key::key::{KeyDigest, Networks};
use tower_api_key::request::{Connection, ProxyHeaders, TrustedProxies};
use tower_api_key::{ApiKeyLayer, Observer};

use crate::support::{PROFILE, greeting, reason, request, send, store};

/// Counts keys that came over plain HTTP.
#[derive(Clone, Default)]
struct Exposed(Arc<AtomicUsize>);

impl Observer for Exposed {
    fn key_exposed(&self, _: &KeyDigest) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn through_proxy(name: &'static str, value: &str) -> Request<()> {
    let mut request = request(Method::GET, "/");
    request.headers_mut().insert(name, value.parse().unwrap());
    request.extensions_mut().insert(Connection::plain("10.0.0.1:4711".parse().unwrap()));
    request
}

#[tokio::test]
async fn a_key_over_ws_is_exposed_and_one_over_wss_is_not() {
    for (name, value, serves) in [
        ("x-forwarded-proto", "wss", true),
        ("x-forwarded-proto", "WSS", true),
        ("x-forwarded-proto", "wss, https", true),
        ("x-forwarded-proto", "ws", false),
        ("x-forwarded-proto", "ws, wss", false),
        ("x-forwarded-proto", "wss://", false),
        ("forwarded", "proto=wss", true),
        ("forwarded", "proto=\"Wss\"", true),
        ("forwarded", "proto=ws", false),
        ("forwarded", "proto=wss, for=_p;proto=ws", false),
    ] {
        let exposed = Exposed::default();
        let proxies = Networks::new(["10.0.0.0/8"]).unwrap();
        let layer = ApiKeyLayer::builder(PROFILE, store(|key| key))
            .trusted_proxies(TrustedProxies::new(proxies, ProxyHeaders::Either))
            .observer(exposed.clone());
        let service = greeting(&layer.build().unwrap());
        let expected = if serves { "admitted" } else { "insecure_transport" };
        let answer = send(&service, through_proxy(name, value)).await;
        assert_eq!(reason(&answer), expected, "{name}: {value}");
        assert_eq!(exposed.0.load(Ordering::Relaxed), usize::from(!serves), "{name}: {value}");
    }
}
