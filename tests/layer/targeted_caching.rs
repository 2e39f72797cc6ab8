//! Headers by which a service speaks to some caches alone (RFC 9213). These caches prefer them to
//! `Cache-Control`, so none stands beside the gate's own word.

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::profile::CredentialSource;
use tower_api_key::{ApiKeyLayer, Profile};

use crate::support::{KEY, PROFILE, anonymous, request, store};

const TARGETED: [&str; 7] = [
    "cdn-cache-control",
    "surrogate-control",
    "cloudflare-cdn-cache-control",
    "akamai-cache-control",
    "x-litespeed-cache-control",
    "edge-control",
    "x-accel-expires",
];

/// Returns the caching headers of the answer of a service that wants CDNs to store it.
async fn answered(request: Request<()>, caching: Option<&'static str>) -> HeaderMap {
    let sources = [
        CredentialSource::bearer(),
        CredentialSource::header("x-api-key"),
        CredentialSource::insecure_query("key"),
    ];
    let profile = Profile { credentials: &sources, ..PROFILE };
    let layer = ApiKeyLayer::builder(profile, store(|key| key)).build().unwrap();
    let service = layer.layer(service_fn(move |_: Request<()>| async move {
        let mut response = Response::new(Full::<Bytes>::default());
        for name in TARGETED {
            response.headers_mut().append(name, "max-age=60".parse().unwrap());
            response.headers_mut().append(name, "must-revalidate".parse().unwrap());
        }
        response.headers_mut().insert("cdn-loop", "a".parse().unwrap());
        if let Some(caching) = caching {
            response.headers_mut().insert("cache-control", caching.parse().unwrap());
        }
        Ok::<_, Infallible>(response)
    }));
    let response = service.oneshot(request).await.unwrap();
    assert_eq!(
        (response.status(), &response.headers()["cdn-loop"]),
        (200.try_into().unwrap(), &"a".parse().unwrap())
    );
    response.into_parts().0.headers
}

#[tokio::test]
async fn none_stands_where_the_gate_marks_an_answer_private() {
    let in_header = || {
        let mut request = anonymous(Method::GET, "/");
        request.headers_mut().insert("x-api-key", KEY.parse().unwrap());
        request
    };
    let in_query = || anonymous(Method::GET, "/?key=key_0123456789abcdef");
    for (request, caching, expected, kept) in [
        (in_query(), None, Some("private"), false),
        (in_query(), Some("public, max-age=60"), Some("private"), false),
        (in_query(), Some("no-store"), Some("no-store"), false),
        (in_query(), Some("private, max-age=5"), Some("private, max-age=5"), false),
        (in_header(), None, Some("private"), false),
        // The service has decided, and `Vary` names the header.
        (in_header(), Some("public, max-age=60"), Some("public, max-age=60"), true),
        (in_header(), Some("private"), Some("private"), true),
        // RFC 9111 §3.5 holds for targeted fields, too.
        (request(Method::GET, "/"), None, None, true),
    ] {
        let headers = answered(request, caching).await;
        let found = headers.get("cache-control").map(|value| value.to_str().unwrap());
        assert_eq!(found, expected, "{caching:?}");
        for name in TARGETED {
            assert_eq!(headers.get_all(name).iter().count(), if kept { 2 } else { 0 }, "{name}");
        }
    }
}
