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
use http::header::CONNECTION;
use http::uri::{Authority, Scheme};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::body::Incoming;
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

const PROFILE: Profile = Profile {
    credentials: &[CredentialSource::header("x-api-key")],
    formats: &[KeyFormat::hex(40)],
    quotas: &[],
    ..vendors::REST_INTEGRATIONS
};

type Backend = Client<HttpConnector, Incoming>;
type Answer = Response<BoxBody<Bytes, hyper::Error>>;

async fn forward(backend: Backend, mut request: Request<Incoming>) -> Result<Answer, Infallible> {
    let identity = request.extensions().get::<Grant>().cloned();
    // What a client sent under these names is the client's own word.
    let headers = request.headers_mut();
    // `Connection: x-account-id` would make the next hop drop what we add (RFC 9110 §7.6.1).
    headers.remove(CONNECTION);
    headers.remove(ACCOUNT);
    headers.remove(KEY_ID);
    if let Some(grant) = identity {
        let value = |name: &str| HeaderValue::from_str(name).ok();
        headers.extend(value(grant.account().as_str()).map(|account| (ACCOUNT, account)));
        headers.extend(value(grant.key_id().as_str()).map(|key| (KEY_ID, key)));
    }
    let mut target = request.uri().clone().into_parts();
    target.scheme = Some(Scheme::HTTP);
    target.authority = Some(Authority::from_static(BACKEND));
    if let Ok(target) = Uri::from_parts(target) {
        *request.uri_mut() = target;
    }
    if let Ok(response) = backend.request(request).await {
        return Ok(response.map(BodyExt::boxed));
    }
    let body = Full::new(Bytes::from("the backend does not answer\n"));
    let mut response = Response::new(body.map_err(|never| match never {}).boxed());
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    Ok(response)
}

/// A backend that says what it was told.
async fn echo(request: Request<Incoming>) -> Result<Response<String>, Infallible> {
    let headers = format!("{:#?}\n", request.headers());
    Ok(Response::new(headers))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let backend = TcpListener::bind(BACKEND).await?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = backend.accept().await {
            let service = TowerToHyperService::new(service_fn(echo));
            let server = auto::Builder::new(TokioExecutor::new());
            tokio::spawn(async move {
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });

    let issued = Issuer::new(KeyFormat::hex(40), KeyHasher::sha256()).issue(None)?;
    let account = Arc::new(Account::builder("account_1").build()?);
    let store = MemoryStore::new();
    store.insert(*issued.digest(), KeyRecord::builder("key_1", account).build()?);

    let gate = ApiKeyLayer::builder(PROFILE, store)
        .trusted_proxies(TrustedProxies::new(
            Networks::parse(["127.0.0.0/8"])?,
            ProxyHeaders::XForwarded,
        ))
        .strip_credential()
        .build()?;
    let client: Backend = Client::builder(TokioExecutor::new()).build_http();
    let listener = TcpListener::bind("127.0.0.1:3001").await?;
    let key = issued.secret().expose_secret();
    println!("Try, as a TLS-terminating proxy would pass it on:");
    println!(
        "  curl -i localhost:3001/ -H 'X-Forwarded-Proto: https' -H 'X-Api-Key: {key}' -H 'X-Account-Id: forged'"
    );
    loop {
        let (stream, peer) = listener.accept().await?;
        let client = client.clone();
        let proxy = service_fn(move |request| forward(client.clone(), request));
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
