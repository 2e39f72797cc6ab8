//! What a Rust service composes today from well-known crates, and the least that tower-http does.

use std::collections::HashSet;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use dashmap::DashMap;
use governor::middleware::StateInformationMiddleware;
use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use sha2::{Digest, Sha256};
use tower::{Layer, Service};
use tower_governor::governor::GovernorConfigBuilder;
use tower_governor::key_extractor::KeyExtractor;
use tower_governor::{GovernorError, GovernorLayer};
use tower_http::auth::{AsyncAuthorizeRequest, AsyncRequireAuthorizationLayer};
use tower_http::validate_request::ValidateRequestHeaderLayer;

use crate::subject::{KEYS_PER_ACCOUNT, nothing};

/// The principal that the composed stack leaves in the extensions.
struct Principal {
    account: Arc<str>,
    scopes: HashSet<String>,
}

type Principals = Arc<DashMap<[u8; 32], Arc<Principal>>>;

/// Authenticates by SHA-256 and a concurrent map, and asks for one scope.
#[derive(Clone)]
struct Authenticate(Principals);

impl AsyncAuthorizeRequest<()> for Authenticate {
    type RequestBody = ();
    type ResponseBody = Body;
    type Future = Pin<Box<dyn Future<Output = Result<Request<()>, Response<Body>>> + Send>>;

    fn authorize(&mut self, mut request: Request<()>) -> Self::Future {
        let principals = Arc::clone(&self.0);
        Box::pin(async move {
            let header = request.headers().get(AUTHORIZATION);
            let key = header.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
            let found = key.and_then(|key| {
                let digest: [u8; 32] = Sha256::digest(key.as_bytes()).into();
                principals.get(&digest).map(|entry| Arc::clone(entry.value()))
            });
            match found {
                None => Err(refusal(StatusCode::UNAUTHORIZED)),
                Some(principal) if !principal.scopes.contains("users.read") => {
                    Err(refusal(StatusCode::FORBIDDEN))
                }
                Some(principal) => {
                    request.extensions_mut().insert(principal);
                    Ok(request)
                }
            }
        })
    }
}

fn refusal(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Counts by account, whose name is the key, as in governor's own examples.
#[derive(Clone)]
struct ByAccount;

impl KeyExtractor for ByAccount {
    type Key = String;

    fn extract<T>(&self, request: &Request<T>) -> Result<Self::Key, GovernorError> {
        let principal = request.extensions().get::<Arc<Principal>>();
        principal
            .map(|principal| principal.account.to_string())
            .ok_or(GovernorError::UnableToExtractKey)
    }
}

/// A governor layer with headers whose quota is never used up.
fn governor() -> GovernorLayer<ByAccount, StateInformationMiddleware, Body> {
    let config = GovernorConfigBuilder::default()
        .period(Duration::from_nanos(1))
        .burst_size(9_999)
        .key_extractor(ByAccount)
        .use_headers()
        .finish();
    GovernorLayer::new(config.expect("valid")).error_handler(|_| Response::new(Body::empty()))
}

/// The composed stack over these keys: authentication, then two limits with headers.
pub(crate) fn composed(
    texts: &[String],
) -> impl Service<Request<()>, Response = Response<Body>, Error = Infallible> + use<> + Clone {
    let principals = DashMap::with_capacity(texts.len());
    let mut account: Arc<str> = Arc::from("");
    for (index, text) in texts.iter().enumerate() {
        if index % KEYS_PER_ACCOUNT == 0 {
            account = Arc::from(format!("account_{}", index / KEYS_PER_ACCOUNT));
        }
        let scopes = ["users.read", "users.write"].map(str::to_owned).into();
        let principal = Principal { account: Arc::clone(&account), scopes };
        principals.insert(Sha256::digest(text.as_bytes()).into(), Arc::new(principal));
    }
    let authenticate = AsyncRequireAuthorizationLayer::new(Authenticate(Arc::new(principals)));
    authenticate.layer(governor().layer(governor().layer(nothing())))
}

/// tower-http's comparison of the header with one constant.
#[allow(deprecated)] // It is what people use, and the least that a check can cost.
pub(crate) fn constant(
    key: &str,
) -> impl Service<Request<()>, Response = Response<Body>, Error = Infallible> + use<> {
    ValidateRequestHeaderLayer::bearer(key).layer(nothing())
}
