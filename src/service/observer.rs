//! What the operator can be told of.

use std::net::IpAddr;
use std::time::Duration;

use crate::denial::Denial;
use crate::key::{KeyDigest, KeyRecord};
use crate::limits::LimiterError;
use crate::store::StoreError;

/// Hears of what a gate cannot answer by itself. Every method does nothing unless written; all run
/// on the request's task, so they return at once. No key, header or URI is passed to them.
///
/// ```
/// # use bytes::Bytes;
/// # use http::{Request, Response};
/// # use http_body_util::Full;
/// # use tower::{Layer, ServiceExt, service_fn};
/// # use tower_api_key::{ApiKeyLayer, key::KeyHasher, store::MemoryStore, vendors};
/// use std::sync::mpsc::{Sender, channel};
/// use tower_api_key::Observer;
/// use tower_api_key::key::KeyDigest;
///
/// struct Revoke(Sender<KeyDigest>);
///
/// impl Observer for Revoke {
///     fn key_exposed(&self, digest: &KeyDigest) {
///         let _ = self.0.send(*digest); // a worker looks it up and tells its owner
///     }
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (sender, exposed) = channel();
/// # let builder = ApiKeyLayer::builder(vendors::POLYTEIA, MemoryStore::new());
/// let layer = builder.observer(Revoke(sender)).build()?;
/// # let service = layer.layer(service_fn(|_: Request<()>| async {
/// #     Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default()))
/// # }));
///
/// // Over plain HTTP, for all that the gate can tell:
/// let request = Request::get("/").header("authorization", "Bearer 0123456789abcdef").body(())?;
/// assert_eq!(service.oneshot(request).await?.status(), 400);
/// assert_eq!(exposed.recv()?, KeyHasher::sha256().digest(b"0123456789abcdef"));
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

    /// Hears of a well-formed key that came over plain HTTP: whoever listened has it now. It was not looked up.
    fn key_exposed(&self, digest: &KeyDigest) {
        let _ = digest;
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

    /// Hears that the limiter could not answer; the request was let pass uncounted, or not.
    fn limiter_failed(&self, error: &LimiterError, let_pass: bool) {
        let _ = (error, let_pass);
    }
}

/// Hears nothing.
pub(super) struct Deaf;

impl Observer for Deaf {}
