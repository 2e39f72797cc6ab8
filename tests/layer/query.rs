//! A key in the query, which some vendors document.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::clock::Timestamp;
use tower_api_key::profile::{BasicKey, CredentialSource, Expected, RequiredHeader};
use tower_api_key::rules::Routes;
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, Preflight, Profile};

use crate::support::{KEY, PROFILE, anonymous, request, store, text, tls, told};

const QUERY: CredentialSource = CredentialSource::insecure_query("key");

fn builder(credentials: &[CredentialSource<'_>]) -> ApiKeyLayerBuilder {
    ApiKeyLayer::builder(Profile { credentials, ..PROFILE }, store(|key| key))
}

/// Returns why a request is refused, or the URI that the inner service sees; and the headers of the answer.
async fn asked(
    layer: &ApiKeyLayer,
    request: Request<()>,
    caching: Option<&'static str>,
) -> (String, http::HeaderMap) {
    let service = layer.layer(service_fn(move |request: Request<()>| async move {
        let mut response = Response::new(Full::new(Bytes::from(request.uri().to_string())));
        if let Some(caching) = caching {
            response.headers_mut().insert("cache-control", caching.parse().unwrap());
        }
        Ok::<_, Infallible>(response)
    }));
    told(service.oneshot(request).await.unwrap()).await
}

#[tokio::test]
async fn a_key_in_the_query_does_not_reach_the_handler() {
    let layer = builder(&[QUERY]).build().unwrap();
    for (target, expected) in [
        ("/v1?key=key_0123456789abcdef", "/v1"),
        ("/v1?a=1&key=key_0123456789abcdef&b=%20+", "/v1?a=1&b=%20+"),
        ("/v1?a&k%65y=key_%30123456789abcdef&&c", "/v1?a&&c"),
        ("https://api.example.com/?key=key_0123456789abcdef", "https://api.example.com/"),
        ("/v1?key=key_0123456789abcdee", "key_unknown"),
        ("/v1?key=key_0123456789abcdef&key=key_0123456789abcdef", "credentials_ambiguous"),
        ("/v1?key=key_0123456789abcdef&%6bey", "credentials_ambiguous"),
        ("/v1?key", "credentials_malformed"),
        ("/v1?key=", "credentials_malformed"),
        ("/v1?key=key_0123456789abcdef+", "credentials_malformed"),
        ("/v1?key=key_0123456789abcdef%", "credentials_malformed"),
        ("/v1?key=key_0123456789abcdef%0a", "credentials_malformed"),
        ("/v1?key=short", "key_malformed"),
        ("/v1?Key=key_0123456789abcdef", "credentials_ambiguous"),
        ("/v1?%20key=key_0123456789abcdef", "credentials_ambiguous"),
        ("/v1?a=1;key=key_0123456789abcdef", "credentials_ambiguous"),
        ("/v1?a=1;key=other&key=key_0123456789abcdef", "credentials_ambiguous"),
        ("/v1?a=?key=key_0123456789abcdef", "credentials_missing"),
        ("/v1", "credentials_missing"),
    ] {
        let (seen, headers) = asked(&layer, anonymous(Method::GET, target), None).await;
        assert_eq!(seen, expected, "{target}");
        let admitted = seen.contains('/');
        assert_eq!(headers["cache-control"], if admitted { "private" } else { "no-store" });
        let shown = format!("{headers:?}");
        assert!(!shown.contains("0123456789"), "{shown}");
        assert!(!headers.contains_key("vary"), "the URL is what caches look up: {shown}");
    }
    let (_, headers) = asked(&layer, anonymous(Method::GET, "/"), None).await;
    assert_eq!(headers["www-authenticate"], r#"ApiKey realm="test", query="key""#);
}

#[tokio::test]
async fn a_profile_without_a_parameter_leaves_the_query_alone() {
    let layer = builder(&[CredentialSource::bearer()]).build().unwrap();
    let target = "/v1?key=key_0123456789abcdef";
    let (seen, _) = asked(&layer, request(Method::GET, target), None).await;
    assert_eq!(seen, target);
    let (seen, _) = asked(&layer, anonymous(Method::GET, target), None).await;
    assert_eq!(seen, "credentials_missing");
}

#[tokio::test]
async fn what_the_service_says_of_caching_stands_if_it_is_private() {
    let layer = builder(&[QUERY]).build().unwrap();
    for (said, expected) in [
        ("public, max-age=60", "private"),
        ("max-age=60", "private"),
        (r#"private="x-a""#, "private"),
        ("Private, max-age=60", "Private, max-age=60"),
        ("no-store", "no-store"),
    ] {
        let request = anonymous(Method::GET, "/?key=key_0123456789abcdef");
        let (_, headers) = asked(&layer, request, Some(said)).await;
        assert_eq!(headers["cache-control"], expected, "{said}");
    }
}

#[tokio::test]
async fn a_key_in_the_query_and_a_header_is_one_too_many() {
    let target = "/v1?key=key_0123456789abcdef";
    let both = [QUERY, CredentialSource::bearer()];
    let (seen, _) =
        asked(&builder(&both).build().unwrap(), request(Method::GET, target), None).await;
    assert_eq!(seen, "credentials_ambiguous");
    let equal = both.map(CredentialSource::allow_equal);
    let equal = builder(&equal).build().unwrap();
    let (seen, headers) = asked(&equal, request(Method::GET, target), None).await;
    assert_eq!((&*seen, &headers["cache-control"]), ("/v1", &"private".parse().unwrap()));
    let other = "/v1?key=key_0123456789abcdee";
    let (seen, _) = asked(&equal, request(Method::GET, other), None).await;
    assert_eq!(seen, "credentials_ambiguous");
    let (seen, headers) = asked(&equal, request(Method::GET, "/v1"), None).await;
    assert_eq!((&*seen, headers.len()), ("/v1", 0));
    let two = [QUERY, CredentialSource::insecure_query("token")].map(CredentialSource::allow_equal);
    let two = builder(&two).build().unwrap();
    for (target, expected) in [
        ("/v1?key=key_0123456789abcdef&token=key_0123456789abcdef", "/v1"),
        ("/v1?key=key_0123456789abcdef&token=key_0123456789abcdee", "credentials_ambiguous"),
    ] {
        let (seen, _) = asked(&two, anonymous(Method::GET, target), None).await;
        assert_eq!(seen, expected, "{target}");
    }
}

/// A request that passes without a key has no key in its query.
#[tokio::test]
async fn an_optional_gate_passes_no_key_on() {
    let layer = builder(&[QUERY]).optional().without_limits().build().unwrap();
    for (target, expected) in [
        ("/v1?a=1", "/v1?a=1"),
        ("/v1?a=1&key=", "credentials_malformed"),
        ("/v1?a=1;key=key_0123456789abcdef", "credentials_ambiguous"),
        ("/v1?KEY=key_0123456789abcdef", "credentials_ambiguous"),
        ("/v1?key=key_0123456789abcdee", "key_unknown"),
        ("/v1?a=1&key=key_0123456789abcdef", "/v1?a=1"),
    ] {
        let (seen, _) = asked(&layer, anonymous(Method::GET, target), None).await;
        assert_eq!(seen, expected, "{target}");
    }
}

/// A page that was asked with a key in its URL makes requests that repeat the URL.
#[tokio::test]
async fn a_referrer_with_a_key_does_not_reach_the_handler() {
    let layer = builder(&[QUERY, CredentialSource::bearer()]).build().unwrap();
    for (referrer, stays) in [
        ("https://api.example.com/v1?a=1", true),
        ("https://api.example.com/v1#key=1", true),
        ("https://api.example.com/v1?key=key_0123456789abcdef", false),
        ("https://api.example.com/v1?a=1&k%65y=key_0123456789abcdef", false),
        ("https://api.example.com/v1?a=1;KEY=key_0123456789abcdef", false),
        ("/?key", false),
    ] {
        let mut request = request(Method::GET, "/v1");
        request.headers_mut().insert("referer", referrer.parse().unwrap());
        let service = layer.layer(service_fn(|request: Request<()>| async move {
            let seen = request.headers().contains_key("referer");
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(seen.to_string()))))
        }));
        let response = service.oneshot(request).await.unwrap();
        assert_eq!(text(response).await, stays.to_string(), "{referrer}");
    }
    let request = anonymous(Method::GET, "/v1?key=key_0123456789abcdef");
    let (_, headers) = asked(&layer, request, None).await;
    assert_eq!(headers["referrer-policy"], "no-referrer");
}

/// A browser repeats the URL in the preflight, and sends no other credential with it.
#[tokio::test]
async fn a_preflight_has_no_key() {
    let preflight = |target| {
        let mut request = anonymous(Method::OPTIONS, target);
        let headers = request.headers_mut();
        headers.insert("origin", "https://app.example.com".parse().unwrap());
        headers.insert("access-control-request-method", "GET".parse().unwrap());
        request
    };
    let both = [QUERY, CredentialSource::bearer()];
    let answering = Preflight::from_origins(["https://app.example.com"]);
    let answering =
        builder(&both).routes(Routes::new()).answer_preflight(answering).build().unwrap();
    let admitting = builder(&both).allow_preflight().build().unwrap();
    for target in [
        "/v1",
        "/v1?key=key_0123456789abcdef",
        "/v1?key=key_0123456789abcdee",
        "/v1?key=",
        "/v1?key=a&key=b",
    ] {
        let (_, headers) = asked(&answering, preflight(target), None).await;
        assert_eq!(headers["access-control-allow-origin"], "https://app.example.com", "{target}");
        let (seen, _) = asked(&admitting, preflight(target), None).await;
        assert_eq!(seen, "/v1", "{target}");
        for layer in [&answering, &admitting] {
            let explained = layer.explain(&preflight(target), tls(), None, Timestamp::default());
            assert_eq!(explained.decision(), Ok(None), "{target}");
        }
    }
    // A key in a header is no browser's doing.
    let mut with_header = preflight("/v1?key=key_0123456789abcdef");
    with_header.headers_mut().insert("authorization", "Bearer x".parse().unwrap());
    let (seen, _) = asked(&admitting, with_header, None).await;
    assert_eq!(seen, "credentials_ambiguous");
}

#[test]
fn nothing_that_is_printed_has_the_key() {
    let layer = builder(&[QUERY]).build().unwrap();
    for target in
        ["/?key=key_0123456789abcdef", "/?key=key_0123456789abcdef+", "/?key=canary_0123456789"]
    {
        let request = anonymous(Method::GET, target);
        let explanation = layer.explain(&request, tls(), None, Timestamp::default());
        let printed = format!("{explanation} {explanation:?} {layer:?}");
        assert!(!printed.contains("0123456789"), "{printed}");
    }
}

#[test]
fn contradictions_are_found() {
    let complaint = |credentials: &[CredentialSource<'_>]| {
        builder(credentials).build().err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert_eq!(complaint(&[QUERY, CredentialSource::insecure_query("Key")]), "");
    for (credentials, words) in [
        (&[QUERY, QUERY][..], &["key", "twice"][..]),
        (&[CredentialSource::insecure_query("")], &["insecure_query", "letters"]),
        (&[CredentialSource::insecure_query("a&b")], &["a&b", "letters"]),
        (&[CredentialSource::insecure_query("api+key")], &["api+key", "letters"]),
        (
            &[QUERY.allow_equal(), CredentialSource::basic(BasicKey::SecretOfId).allow_equal()],
            &["SecretOfId", "allow_equal"],
        ),
    ] {
        let complaint = complaint(credentials);
        assert!(words.iter().all(|word| complaint.contains(word)), "{complaint}");
    }
    let required_headers = &[RequiredHeader { name: "authorization", expected: Expected::Present }];
    let credentials = &[QUERY, CredentialSource::bearer()];
    let profile = Profile { credentials, required_headers, ..PROFILE };
    let refused = ApiKeyLayer::builder(profile, store(|key| key)).build();
    assert!(refused.unwrap_err().to_string().contains("carries the credential"));
    assert!(KEY.contains("0123456789"));
}
