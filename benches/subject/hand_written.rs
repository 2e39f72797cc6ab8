//! An axum middleware as a careful developer writes it by hand: SHA-256, a map of principals, two limits of governor,
//! a scope, and three limit headers. It requires no HTTPS, and knows no expiry, networks or checksum.

use std::collections::HashSet;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use dashmap::DashMap;
use governor::clock::DefaultClock;
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use http::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use sha2::{Digest, Sha256};

use super::keys::KEYS_PER_ACCOUNT;
use super::routers::served;

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");
const BURST: NonZeroU32 = NonZeroU32::new(9_999).expect("not zero");

type AccountLimiter =
    RateLimiter<Arc<str>, DashMapStateStore<Arc<str>>, DefaultClock, StateInformationMiddleware>;

/// The account of a key, for handlers.
struct Owner {
    account: Arc<str>,
    scopes: HashSet<String>,
}

/// What the middleware shares over all requests, behind one reference count.
struct HandWritten {
    owners: DashMap<[u8; 32], Arc<Owner>>,
    minute: AccountLimiter,
    hour: AccountLimiter,
}

/// Builds a router behind the middleware, whose handler answers `ok` to these keys.
pub(crate) fn by_hand(texts: &[String]) -> Router {
    let owners = DashMap::with_capacity(texts.len());
    let mut account: Arc<str> = Arc::from("");
    for (index, text) in texts.iter().enumerate() {
        if index % KEYS_PER_ACCOUNT == 0 {
            account = Arc::from(format!("account_{}", index / KEYS_PER_ACCOUNT));
        }
        let scopes = ["users.read", "users.write"].map(str::to_owned).into();
        let owner = Owner { account: Arc::clone(&account), scopes };
        owners.insert(Sha256::digest(text.as_bytes()).into(), Arc::new(owner));
    }
    let shared = Arc::new(HandWritten { owners, minute: limiter(), hour: limiter() });
    let users = get(|Extension(owner): Extension<Arc<Owner>>| async move {
        assert!(!owner.account.is_empty());
        "ok\n"
    });
    served(Router::new().route("/v1/users", users).layer(from_fn_with_state(shared, guard)))
}

/// A limiter that two quotas of 9,999 requests never use up.
fn limiter() -> AccountLimiter {
    let quota = Quota::with_period(Duration::from_nanos(1)).expect("a period").allow_burst(BURST);
    RateLimiter::dashmap(quota).with_middleware()
}

async fn guard(
    State(shared): State<Arc<HandWritten>>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(owner) = owner(&shared, &request) else {
        return (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Bearer")], "Invalid API key.\n")
            .into_response();
    };
    if !owner.scopes.contains("users.read") {
        return (StatusCode::FORBIDDEN, "A scope is missing.\n").into_response();
    }
    let counted = [&shared.minute, &shared.hour].map(|limiter| limiter.check_key(&owner.account));
    let [Ok(minute), Ok(hour)] = counted else {
        return (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "1")], "Rate limit exceeded.\n")
            .into_response();
    };
    request.extensions_mut().insert(owner);
    let mut response = next.run(request).await;
    let remaining = minute.remaining_burst_capacity().min(hour.remaining_burst_capacity());
    let headers = response.headers_mut();
    headers.insert(LIMIT, HeaderValue::from(BURST.get()));
    headers.insert(REMAINING, HeaderValue::from(remaining));
    headers.insert(RESET, HeaderValue::from(1));
    response
}

/// Finds the account of the request's key.
fn owner(shared: &HandWritten, request: &Request) -> Option<Arc<Owner>> {
    let value = request.headers().get(AUTHORIZATION)?;
    let key = value.to_str().ok()?.strip_prefix("Bearer ")?;
    let digest: [u8; 32] = Sha256::digest(key.as_bytes()).into();
    shared.owners.get(&digest).map(|entry| Arc::clone(entry.value()))
}
