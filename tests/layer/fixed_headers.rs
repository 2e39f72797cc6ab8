//! Headers with fixed values, on every response.

use http::{HeaderMap, Method, Request, Response};
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::profile::{
    Answers, LimitHeaders, PrincipalHeader, PrincipalValue, ResponseHeader,
};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, Denial, Preflight, Profile, refusal};

use crate::support::{PROFILE, anonymous, request, store};

const fn header(name: &'static str, value: &'static str) -> ResponseHeader<'static> {
    ResponseHeader { name, value }
}

const VERSION: ResponseHeader = header("X-Api-Version", "2026-11-01");
const SERVER: ResponseHeader = header("server", "acme (build 7)");
const FIXED: Profile = Profile { response_headers: &[VERSION, SERVER], ..PROFILE };

async fn headers(layer: &ApiKeyLayer, request: Request<()>) -> (u16, HeaderMap) {
    let service = layer.layer(service_fn(|request: Request<()>| async move {
        let mut response = match request.uri().path() {
            "/refused" => refusal::<String>(Denial::InternalError),
            _ => Response::new("hello".to_owned()),
        };
        if request.uri().path() == "/own" {
            response.headers_mut().append("server", "own".parse().unwrap());
            response.headers_mut().append("server", "too".parse().unwrap());
        }
        Ok::<_, std::convert::Infallible>(response)
    }));
    let parts = service.oneshot(request).await.unwrap().into_parts().0;
    (parts.status.as_u16(), parts.headers)
}

fn preflight() -> Request<()> {
    let mut request = anonymous(Method::OPTIONS, "/");
    for (name, value) in
        [("origin", "https://app.example.com"), ("access-control-request-method", "PUT")]
    {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    request
}

#[tokio::test]
async fn every_response_has_them_and_the_service_may_choose_another_value() {
    let builder = || ApiKeyLayer::builder(FIXED, store(|key| key));
    let closed = builder().build().unwrap();
    let open = builder().optional().build().unwrap();
    let preflights = Preflight::from_origins(["https://app.example.com"]);
    let answering = builder().answer_preflight(preflights).build().unwrap();
    let passing = builder().allow_preflight().build().unwrap();
    let acme = &["acme (build 7)"][..];
    for (layer, request, status, servers) in [
        (&closed, anonymous(Method::GET, "/"), 401, acme),
        (&closed, request(Method::GET, "/"), 200, acme),
        (&closed, request(Method::HEAD, "/"), 200, acme),
        (&closed, request(Method::GET, "/own"), 200, &["own", "too"]),
        (&closed, request(Method::GET, "/refused"), 500, acme),
        (&open, anonymous(Method::GET, "/"), 200, acme),
        (&open, anonymous(Method::GET, "/own"), 200, &["own", "too"]),
        (&answering, preflight(), 204, acme),
        (&passing, preflight(), 200, acme),
    ] {
        let (found, headers) = headers(layer, request).await;
        assert_eq!(found, status);
        assert_eq!(headers.get_all("server").iter().collect::<Vec<_>>(), servers);
        assert_eq!(headers["x-api-version"], "2026-11-01");
    }
}

/// What a row says of its own answer is closer to it.
#[tokio::test]
async fn a_header_of_a_row_counts_before() {
    for (value, expected) in [
        (&[("server", "row")], "row"),
        (&[("server", "row of {method}")], "row of GET"),
        (&[("server", "{environment|none}")], "none"),
        // The row has no value for its header.
        (&[("server", "{environment}")], "acme (build 7)"),
    ] {
        let row = PROFILE.answers.internal_error.headers(value);
        let answers = Answers { internal_error: row, ..PROFILE.answers };
        let layer = ApiKeyLayer::builder(Profile { answers, ..FIXED }, store(|key| key));
        let request = request(Method::GET, "/refused");
        let (_, headers) = headers(&layer.build().unwrap(), request).await;
        assert_eq!(headers.get_all("server").iter().collect::<Vec<_>>(), [expected], "{value:?}");
    }
}

#[test]
fn headers_that_cannot_be_fixed_are_refused() {
    for (listed, words) in [
        (&[VERSION, SERVER, header("strict-transport-security", "max-age=1")][..], &[][..]),
        (&[header("server-timing", "gate;dur=1")], &[]),
        (&[VERSION, header("x-api-version", "2")], &["x-api-version", "twice"]),
        (&[header("a b", "1")], &["a b", "header name"]),
        (&[header("", "1")], &["header name"]),
        (&[header("x-a", "")], &["x-a", "visible ASCII"]),
        (&[header("x-a", " 1")], &["x-a"]),
        (&[header("x-a", "1\r\nx-b: 2")], &["x-a"]),
        (&[header("x-a", "1\t2")], &["x-a"]),
        (&[header("x-a", "caf\u{e9}")], &["x-a"]),
        (&[header("Content-Type", "text/plain")], &["content-type", "choose another name"]),
        (&[header("content-length", "1")], &["content-length"]),
        (&[header("connection", "close")], &["connection"]),
        (&[header("vary", "*")], &["vary"]),
        (&[header("cache-control", "public")], &["cache-control"]),
        (&[header("www-authenticate", "Basic")], &["www-authenticate"]),
        (&[header("retry-after", "1")], &["retry-after"]),
        (&[header("grpc-status", "0")], &["grpc-status"]),
        (&[header("content-encoding", "gzip")], &["content-encoding"]),
        (&[header("etag", "\"1\"")], &["etag"]),
        (&[header("location", "/")], &["location"]),
        (&[header("RateLimit-Limit", "1")], &["ratelimit-limit", "limit_headers"]),
        (&[header("x-account", "1")], &["x-account", "principal_headers"]),
    ] {
        let profile = Profile {
            response_headers: listed,
            limit_headers: LimitHeaders::RATE_LIMIT,
            principal_headers: &[PrincipalHeader {
                name: "x-account",
                value: PrincipalValue::Account,
            }],
            ..PROFILE
        };
        let built = ApiKeyLayer::builder(profile, MemoryStore::new()).build();
        let complaint = built.err().map(|error| error.to_string());
        assert_eq!(complaint.is_none(), words.is_empty(), "{listed:?}: {complaint:?}");
        for word in words.iter().chain(complaint.iter().map(|_| &"`response_headers`")) {
            let complaint = complaint.as_deref().unwrap();
            assert!(complaint.contains(word), "`{complaint}` says nothing of `{word}`");
        }
    }
}
