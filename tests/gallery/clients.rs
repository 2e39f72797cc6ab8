//! Clients that ask a vendor for what it refuses.

use http::{HeaderMap, HeaderValue, Method, Request, Response};
use tower_api_key::key::{KeyDigest, SharedRecord};
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::quota::OnLimiterFailure;
use tower_api_key::rules::{Otherwise, Route, Routes};
use tower_api_key::store::{KeyStore, StoreError};
use tower_api_key::{ApiKeyLayer, Profile, Reply};

use crate::support::{Body, KEY, anonymous, greeting, send, store, text};

/// What a client does.
#[derive(Debug, Clone, Copy)]
pub(super) enum Asks {
    /// Sends no key.
    Nothing,
    /// Sends a key that the store does not know.
    Unknown,
    /// Asks for what its key does not allow.
    Scope,
    /// Asks once more than the quota of one request allows.
    TooOften,
    /// Asks while the store is down.
    Outage,
    /// Asks with a good key.
    Well,
}

struct Down;

impl KeyStore for Down {
    fn find(&self, _: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        Reply::now(Err(StoreError::new("down")))
    }
}

fn layer(profile: &Profile<'_>, asks: Asks) -> ApiKeyLayer {
    let routes = Routes::new()
        .get("/scope", Route::new().all_of(&["users.write"]))
        .otherwise(Otherwise::Need(Route::new()));
    let builder = match asks {
        Asks::Outage => ApiKeyLayer::builder(*profile, Down),
        _ => ApiKeyLayer::builder(*profile, store(|key| key)),
    };
    builder.routes(routes).limits(MemoryLimiter::new(), OnLimiterFailure::Deny).build().unwrap()
}

fn with_key(path: &str, name: &'static str, value: &str) -> Request<()> {
    let mut request = anonymous(Method::GET, path);
    request.headers_mut().insert(name, value.parse().unwrap());
    request
}

/// Returns the answer to a client, as it reads on the wire; its headers in alphabetical order.
pub(super) async fn answer(profile: &Profile<'_>, asks: Asks, path: &str) -> String {
    let service = greeting(&layer(profile, asks));
    let good = with_key(path, "authorization", &format!("Bearer {KEY}"));
    let request = match asks {
        Asks::Nothing => anonymous(Method::GET, path),
        Asks::Unknown => with_key(path, "authorization", "Bearer key_00000000000000000"),
        Asks::Scope => with_key("/scope", "authorization", &format!("Bearer {KEY}")),
        Asks::Outage | Asks::Well => good,
        Asks::TooOften => {
            assert_eq!(send(&service, good.clone()).await.status(), 200);
            good
        }
    };
    written(send(&service, request).await).await
}

async fn written(response: Response<Body>) -> String {
    let status = response.status().as_u16();
    let headers = lines(response.headers());
    format!("{status}\n{headers}\n{}", text(response).await)
}

/// Writes each header on a line, in the order of their names.
fn lines(headers: &HeaderMap) -> String {
    let line = |(name, value): (&http::HeaderName, &HeaderValue)| {
        (name.as_str().to_owned(), format!("{name}: {}\n", value.to_str().unwrap()))
    };
    let mut lines: Vec<(String, String)> = headers.iter().map(line).collect();
    // Lines of one name keep their order.
    lines.sort_by(|(one, _), (other, _)| one.cmp(other));
    lines.into_iter().map(|(_, line)| line).collect()
}
