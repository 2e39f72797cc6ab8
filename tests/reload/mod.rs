//! A front door that is replaced while it serves.

mod attempts;
mod counts;
mod load;
#[cfg(feature = "axum")]
mod sockets;
mod swap;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use tokio::sync::Semaphore;
use tower::util::BoxCloneSyncService;
use tower::{Layer, service_fn};
use tower_api_key::key::{KeyDigest, SharedRecord};
use tower_api_key::profile::ResponseHeader;
use tower_api_key::reload::{ReloadHandle, ReloadableLayer};
use tower_api_key::rules::{Route, Routes};
use tower_api_key::store::{KeyStore, MemoryStore, StoreError};
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, Denial, Grant, Profile, Reply, refusal};

use crate::support::{PROFILE, Service, reason, request, send, store};

const MINUTE: Duration = Duration::from_secs(60);

/// Two vendors that differ in a header of every response.
const OLD: Profile =
    Profile { response_headers: &[ResponseHeader { name: "x-door", value: "old" }], ..PROFILE };
const NEW: Profile =
    Profile { response_headers: &[ResponseHeader { name: "x-door", value: "new" }], ..PROFILE };

/// A store that answers as often as it is let.
#[derive(Clone)]
struct HeldStore {
    store: MemoryStore,
    answers: Arc<Semaphore>,
}

impl HeldStore {
    fn new() -> Self {
        Self { store: store(|key| key.scopes(["a"])), answers: Arc::new(Semaphore::new(0)) }
    }
}

impl KeyStore for HeldStore {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        let (answer, answers) = (self.store.find(digest), Arc::clone(&self.answers));
        Reply::later(async move {
            answers.acquire().await.unwrap().forget();
            answer.await
        })
    }
}

/// A gate that serves all paths.
fn door(profile: &Profile, store: impl KeyStore) -> ApiKeyLayerBuilder {
    let routes = Routes::new().on(&[], "/", Route::new()).on(&[], "/{*path}", Route::new());
    ApiKeyLayer::builder(*profile, store).routes(routes)
}

/// The layer around a service that says what it got: the key, or none; and whose it was.
fn telling(layer: &ReloadableLayer) -> Service {
    BoxCloneSyncService::new(layer.layer(service_fn(|request: Request<()>| async move {
        if request.method() == Method::DELETE {
            return Ok::<_, Infallible>(refusal(Denial::InternalError));
        }
        let key = request.headers().get("authorization").map_or("no key", |_| "a key");
        let grant = request.extensions().get::<Grant>().map(|grant| grant.account().to_string());
        let text = format!("{key} of {}", grant.as_deref().unwrap_or("nobody"));
        Ok(Response::new(Full::new(Bytes::from(text))))
    })))
}

/// The layer that answered, by its header.
fn answered_by<B>(response: &Response<B>) -> &str {
    response.headers()["x-door"].to_str().unwrap()
}

/// Starts a service with this layer.
fn serving(builder: ApiKeyLayerBuilder) -> (Service, ReloadHandle) {
    let (layer, handle) = ReloadableLayer::new(builder.build().unwrap());
    (telling(&layer), handle)
}

fn reload(handle: &ReloadHandle, builder: ApiKeyLayerBuilder) {
    handle.reload(|previous| builder.build_after(previous)).unwrap();
}

fn get() -> Request<()> {
    request(Method::GET, "/")
}

async fn reason_for(service: &Service, request: Request<()>) -> &'static str {
    reason(&send(service, request).await)
}
