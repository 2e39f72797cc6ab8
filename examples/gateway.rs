//! A reverse proxy: it takes the key off the request and tells the backend who the caller is.
//!
//! ```text
//! cargo run --example gateway
//! ```
//!
//! The backend must be reachable through the gateway only, for it believes the identity headers.

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONNECTION, HOST};
use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri, Version};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::body::{Body, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use secrecy::ExposeSecret;
use tokio::net::TcpListener;
use tower::{Layer, service_fn};
use tower_api_key::key::{Account, Issuer, KeyFormat, KeyHasher, KeyRecord, Networks};
use tower_api_key::request::{Connection, CredentialSource, ProxyHeaders, TrustedProxies};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, Grant, MarkConnection, Profile, vendors};

const ACCOUNT: HeaderName = HeaderName::from_static("x-account-id");
const KEY_ID: HeaderName = HeaderName::from_static("x-key-id");
const BACKEND: &str = "127.0.0.1:3002";
/// hyper frames the body of each connection by itself, so `Transfer-Encoding` is one of them.
const HOP_BY_HOP: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

const PROFILE: Profile = Profile {
    credentials: &[CredentialSource::header("x-api-key")],
    formats: &[KeyFormat::hex(40)],
    quotas: &[],
    ..vendors::REST_INTEGRATIONS
};

type Answer = Response<BoxBody<Bytes, hyper::Error>>;

async fn forward<B>(
    client: Client<HttpConnector, B>,
    backend: Authority,
    mut request: Request<B>,
) -> Result<Answer, Infallible>
where
    B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + Unpin + 'static,
{
    let identity = request.extensions().get::<Grant>().cloned();
    // HTTP/2 and absolute targets name the host in the target, which outranks `Host`.
    let host = request.uri().authority().and_then(|authority| {
        HeaderValue::from_str(authority.as_str().rsplit('@').next().unwrap_or_default()).ok()
    });
    let headers = request.headers_mut();
    strip_hop_by_hop(headers);
    if let Some(host) = host {
        headers.insert(HOST, host);
    }
    // What a client sent under these names is the client's own word.
    headers.remove(ACCOUNT);
    headers.remove(KEY_ID);
    if let Some(grant) = identity {
        let value = |name: &str| HeaderValue::from_str(name).ok();
        headers.extend(value(grant.account().as_str()).map(|account| (ACCOUNT, account)));
        headers.extend(value(grant.key_id().as_str()).map(|key| (KEY_ID, key)));
    }
    let mut target = request.uri().clone().into_parts();
    target.scheme = Some(Scheme::HTTP);
    target.authority = Some(backend);
    let Ok(target) = Uri::from_parts(target) else {
        // `CONNECT` has no path; its target must not be where we connect to.
        return Ok(failure(StatusCode::BAD_REQUEST, "the target has no path\n"));
    };
    *request.uri_mut() = target;
    // The backend speaks HTTP/1.1, whatever the client speaks.
    *request.version_mut() = Version::HTTP_11;
    let Ok(mut response) = client.request(request).await else {
        return Ok(failure(StatusCode::BAD_GATEWAY, "the backend does not answer\n"));
    };
    strip_hop_by_hop(response.headers_mut());
    Ok(response.map(BodyExt::boxed))
}

/// Removes what concerns one connection only (RFC 9110 §7.6.1). `Connection: x-account-id` would
/// make the next hop drop what we add, too.
fn strip_hop_by_hop(headers: &mut HeaderMap) {
    let lines = headers.get_all(CONNECTION).iter().filter_map(|line| line.to_str().ok());
    let listed = lines.flat_map(|line| line.split(',')).map(|name| name.trim().to_owned());
    let listed: Vec<String> = listed.collect();
    for name in listed.iter().map(String::as_str).chain(HOP_BY_HOP) {
        headers.remove(name);
    }
}

fn failure(status: StatusCode, text: &'static str) -> Answer {
    let body = Full::new(Bytes::from(text));
    let mut response = Response::new(body.map_err(|never| match never {}).boxed());
    *response.status_mut() = status;
    response
}

/// A backend that says what it was told.
async fn echo(request: Request<Incoming>) -> Result<Response<String>, Infallible> {
    let headers = format!("{:#?}\n", request.headers());
    Ok(Response::new(headers))
}

async fn serve_backend(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        let service = TowerToHyperService::new(service_fn(echo));
        let server = auto::Builder::new(TokioExecutor::new());
        tokio::spawn(async move {
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tokio::spawn(serve_backend(TcpListener::bind(BACKEND).await?));

    let issued = Issuer::new(KeyFormat::hex(40), KeyHasher::sha256()).issue(None)?;
    let account = Arc::new(Account::builder("account_1").build()?);
    let store = MemoryStore::new();
    store.insert(*issued.digest(), KeyRecord::builder("key_1", account).build()?);

    let gate = ApiKeyLayer::builder(PROFILE, store)
        .trusted_proxies(TrustedProxies::new(
            Networks::parse(["127.0.0.0/8"])?,
            ProxyHeaders::XForwarded,
        )?)
        .strip_credential()
        .build()?;
    let client = Client::builder(TokioExecutor::new()).build_http();
    let listener = TcpListener::bind("127.0.0.1:3001").await?;
    let key = issued.secret().expose_secret();
    println!("Try, as a TLS-terminating proxy would pass it on:");
    println!(
        "  curl -i localhost:3001/ -H 'X-Forwarded-Proto: https' -H 'X-Api-Key: {key}' -H 'X-Account-Id: forged'"
    );
    loop {
        let (stream, peer) = listener.accept().await?;
        let client = client.clone();
        let backend = Authority::from_static(BACKEND);
        let proxy = service_fn(move |request| forward(client.clone(), backend.clone(), request));
        let marked = MarkConnection::new(Connection::plain(peer));
        let service = TowerToHyperService::new(marked.layer(gate.layer(proxy)));
        tokio::spawn(async move {
            let server = auto::Builder::new(TokioExecutor::new());
            if let Err(error) = server.serve_connection(TokioIo::new(stream), service).await {
                eprintln!("connection: {error}");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    #[tokio::test]
    async fn what_concerns_one_connection_stays_on_it() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let backend: Authority = listener.local_addr().unwrap().to_string().parse().unwrap();
        tokio::spawn(serve_backend(listener));
        let own = backend.as_str();
        for (version, method, uri, status, told) in [
            (Version::HTTP_11, Method::GET, "/a", 200, "named.example"),
            (Version::HTTP_10, Method::GET, "/a", 200, "named.example"),
            (Version::HTTP_2, Method::POST, "https://api.example/a", 200, "api.example"),
            (Version::HTTP_11, Method::GET, "http://me@api.example/a", 200, "api.example"),
            // It must not become an open relay.
            (Version::HTTP_11, Method::CONNECT, own, 400, ""),
        ] {
            let request = Request::builder().version(version).method(method).uri(uri);
            let request = request
                .header("host", "named.example")
                .header("connection", "keep-alive, x-hop")
                .header("connection", "X-Account-Id")
                .header("keep-alive", "timeout=5")
                .header("te", "trailers")
                .header("upgrade", "websocket")
                .header("x-hop", "1")
                .header("x-account-id", "forged")
                .header("x-end", "to end");
            let request = request.body(Full::new(Bytes::from("content"))).unwrap();
            let client = Client::builder(TokioExecutor::new()).build_http();
            let answer = forward(client, backend.clone(), request).await.unwrap();
            assert_eq!(answer.status(), status, "{version:?} {uri}");
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            let body = String::from_utf8(body.to_vec()).unwrap();
            if status == 200 {
                let mut names: Vec<&str> = body.split('"').skip(1).step_by(4).collect();
                names.sort_unstable();
                assert_eq!(names, ["content-length", "host", "x-end"], "{version:?} {body}");
                assert!(body.contains(&format!("\"{told}\"")), "{version:?} {body}");
            }
        }
    }
}
