//! What the operator can be told of.

use std::net::IpAddr;
use std::time::Duration;

use crate::error::Denial;
use crate::key::{KeyDigest, KeyRecord};
use crate::limits::{LimiterError, LimiterFallback};
use crate::store::StoreError;

/// Hears of what a gate cannot answer by itself. Every method does nothing unless written; all run
/// on the request's task, so they return at once. No key, header or URI is passed to them.
///
/// Two of them tell of keys that somebody else may have. Both are calls for an operator, or for a worker
/// with the store at hand, which revokes the key:
///
/// ```
/// # use bytes::Bytes;
/// # use http::{Request, Response};
/// # use http_body_util::Full;
/// # use tower::{Layer, ServiceExt, service_fn};
/// # use tower_api_key::key::{Account, KeyHasher};
/// # use tower_api_key::store::{KeyManager, KeyStore, MemoryStore, NewKey};
/// # use tower_api_key::{ApiKeyLayer, request::Connection, vendors};
/// use std::net::IpAddr;
/// use std::sync::mpsc::{Sender, channel};
/// use tower_api_key::Observer;
/// use tower_api_key::key::{KeyDigest, KeyRecord};
///
/// enum Alarm {
///     Exposed(KeyDigest),
///     UsedElsewhere(String, Option<IpAddr>),
/// }
///
/// struct Alarms(Sender<Alarm>);
///
/// impl Observer for Alarms {
///     fn key_exposed(&self, digest: &KeyDigest) {
///         let _ = self.0.send(Alarm::Exposed(*digest));
///     }
///
///     fn key_used_elsewhere(&self, record: &KeyRecord, client: Option<IpAddr>) {
///         let _ = self.0.send(Alarm::UsedElsewhere(record.id().to_string(), client));
///     }
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (sender, alarms) = channel();
/// # let store = MemoryStore::new();
/// # let record = KeyRecord::builder("key_1", Account::builder("acme").build()?);
/// # let record = record.networks(["10.0.0.0/8"]).build()?;
/// # let digest = KeyHasher::sha256().digest(b"0123456789abcdef");
/// # store.add(NewKey::new(digest, record), "ada").await?;
/// # let builder = ApiKeyLayer::builder(vendors::POLYTEIA, store.clone());
/// let layer = builder.observer(Alarms(sender)).build()?;
/// # let service = layer.layer(service_fn(|_: Request<()>| async {
/// #     Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default()))
/// # }));
/// # let request = Request::get("/").header("authorization", "Bearer 0123456789abcdef");
/// # let mut request = request.body(())?;
/// # request.extensions_mut().insert(Connection::tls("192.0.2.1:4711".parse()?));
/// # assert_eq!(service.oneshot(request).await?.status(), 403);
///
/// // The worker. It may as well ask the key's owner first.
/// while let Ok(alarm) = alarms.recv() {
///     let (id, why) = match alarm {
///         Alarm::UsedElsewhere(id, client) => (Some(id), format!("used from {client:?}")),
///         Alarm::Exposed(digest) => {
///             // Of a key that nobody has looked up: it may be none.
///             let found = store.find(&digest).await?;
///             (found.map(|record| record.id().to_string()), "came over plain HTTP".to_owned())
///         }
///     };
///     if let Some(id) = id {
///         store.revoke(&id, &format!("gate: {why}")).await?;
///     }
/// #     break;
/// }
/// # assert!(store.get("key_1").await?.unwrap().record.is_revoked());
/// # Ok(())
/// # }
/// ```
pub trait Observer: Send + Sync + 'static {
    /// Hears that a request was refused; of a key that serves, with its record.
    fn refused(&self, denial: &Denial, record: Option<&KeyRecord>) {
        let _ = (denial, record);
    }

    /// Hears that a request passed which a quota in shadow would have refused; it would have been
    /// refused once, however many quotas are told of.
    fn would_refuse(&self, record: &KeyRecord, quota: &str) {
        let _ = (record, quota);
    }

    /// Hears of a well-formed key that came over plain HTTP: whoever listened has it now. It was not looked
    /// up, and anybody can make one up that fits. So of one network it hears 60 times an hour at most, or as
    /// often as [failed attempts](crate::attempts::FailedAttempts) are allowed, if they are limited.
    fn key_exposed(&self, digest: &KeyDigest) {
        let _ = digest;
    }

    /// Hears of a key that serves, and was used from a network that is not on its allowlist; the client got
    /// its refusal. Of one key it hears 60 times an hour at most. `client` is the address, `None` if it cannot be determined. Either the allowlist lacks a
    /// network of its owner's, or somebody else has the key.
    fn key_used_elsewhere(&self, record: &KeyRecord, client: Option<IpAddr>) {
        let _ = (record, client);
    }

    /// Hears of the failed attempt after which its network is refused, for this long; once each time. The
    /// attempts that are refused then come as [`Denial::TooManyFailures`].
    fn network_refused(&self, client: IpAddr, retry_after: Duration) {
        let _ = (client, retry_after);
    }

    /// Hears that the store could not answer; the client got a 503.
    fn store_failed(&self, error: &StoreError) {
        let _ = error;
    }

    /// Hears that it could not be told whether a route has a free place, and what was done instead.
    fn concurrency_failed(&self, error: &LimiterError, fallback: LimiterFallback) {
        let _ = (error, fallback);
    }

    /// Hears that the limiter could not answer, and what was done instead;
    /// [`ApiKeyLayer::limiter_failures`](crate::ApiKeyLayer::limiter_failures) counts it, too.
    fn limiter_failed(&self, error: &LimiterError, fallback: LimiterFallback) {
        let _ = (error, fallback);
    }
}
