//! A reverse proxy that removes the key from the request and sends the caller's identity to the backend.
//!
//! ```text
//! cargo run --example gateway
//! ```
//!
//! The backend trusts the identity headers, so it must be reachable through the gateway only. The gateway
//! trusts the proxy in front of it, which terminates TLS on this machine. The gateway forwards no upgrades and
//! no trailers (RFC 9112 §7.1.2).

mod fields;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::error::Error;

use bytes::Bytes;
use http::header::HOST;
use http::uri::{Authority, Scheme};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, Uri, Version};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::body::{Body, Frame, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tower::{Layer, service_fn};
use tower_api_key::key::{Account, IssuedKey, Issuer, KeyFormat, KeyHasher, KeyRecord, Networks};
use tower_api_key::profile::CredentialSource;
use tower_api_key::request::{Connection, ProxyHeaders, TrustedProxies};
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
    let host = match fields::host(request.version(), request.uri(), request.headers()) {
        Ok(host) => host,
        Err(problem) => return Ok(failure(StatusCode::BAD_REQUEST, problem)),
    };
    let headers = request.headers_mut();
    fields::strip_odd_names(headers);
    fields::strip_hop_by_hop(headers);
    headers.insert(HOST, host);
    // Removes the client's own values: only the gateway states the identity.
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
        // `CONNECT` has no path. Its target must not decide where the gateway connects.
        return Ok(failure(StatusCode::BAD_REQUEST, "the request target has no path\n"));
    };
    *request.uri_mut() = target;
    // The backend gets HTTP/1.1 for every version of the client.
    *request.version_mut() = Version::HTTP_11;
    let Ok(mut response) = client.request(request).await else {
        return Ok(failure(StatusCode::BAD_GATEWAY, "the backend does not answer\n"));
    };
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return Ok(failure(
            StatusCode::BAD_GATEWAY,
            "the backend upgraded without a request for it\n",
        ));
    }
    fields::strip_hop_by_hop(response.headers_mut());
    Ok(response.map(|body| body.map_frame(without_trailers).boxed()))
}

/// Drops trailers: `Connection` may name them, too.
fn without_trailers(frame: Frame<Bytes>) -> Frame<Bytes> {
    Frame::data(frame.into_data().unwrap_or_default())
}

fn failure(status: StatusCode, text: &'static str) -> Answer {
    let body = Full::new(Bytes::from(text));
    let mut response = Response::new(body.map_err(|never| match never {}).boxed());
    *response.status_mut() = status;
    response
}

/// A backend that answers with the headers it received.
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

/// Forwards requests with a key to a backend.
async fn serve_gateway(listener: TcpListener, gate: ApiKeyLayer, backend: Authority) {
    let client = Client::builder(TokioExecutor::new()).build_http();
    while let Ok((stream, peer)) = listener.accept().await {
        let (client, backend) = (client.clone(), backend.clone());
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

/// Returns a gate with one key, and the key.
fn gate() -> Result<(ApiKeyLayer, IssuedKey), Box<dyn Error>> {
    let issued = Issuer::new(KeyFormat::hex(40), KeyHasher::sha256()).issue(None)?;
    let account = Account::builder("account_1").build()?;
    let store = MemoryStore::new();
    store.add_now(*issued.digest(), KeyRecord::builder("key_1", account).build()?);

    let proxies = Networks::new(["127.0.0.0/8"])?;
    let proxies = TrustedProxies::new(proxies, ProxyHeaders::XForwarded).always_proxies();
    let builder = ApiKeyLayer::builder(PROFILE, store).trusted_proxies(proxies);
    Ok((builder.strip_credential().build()?, issued))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tokio::spawn(serve_backend(TcpListener::bind(BACKEND).await?));
    let (gate, key) = gate()?;
    let listener = TcpListener::bind("127.0.0.1:3001").await?;
    println!("Try this request, which looks as a TLS-terminating proxy forwards it:");
    println!(
        "  curl -i localhost:3001/ -H 'X-Forwarded-Proto: https' -H 'X-Api-Key: {}' -H 'X-Account-Id: forged'",
        key.expose()
    );
    serve_gateway(listener, gate, Authority::from_static(BACKEND)).await;
    Ok(())
}
