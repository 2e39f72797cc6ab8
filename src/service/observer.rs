//! The observer: events that a gate reports to the operator.

use std::net::IpAddr;
use std::time::Duration;

use crate::caller::ClientNetwork;
use crate::decision::{ObservedRequest, ObservedWait, RequestEnd};
use crate::error::Denial;
use crate::key::{KeyDigest, KeyRecord};
use crate::limits::{LimiterError, LimiterFallback};
use crate::profile::Refusal;
use crate::store::StoreError;

/// Receives the events that an operator should know of: refusals, exposed keys, and failures.
///
/// Every method does nothing unless you write it. The gate calls the methods on the request's task, so they
/// must return at once. No method gets a key, a header or a URI.
///
/// Two methods report keys that somebody else may have. This example passes the reports to a worker, which
/// revokes the keys:
///
/// ```
/// use std::net::IpAddr;
/// use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
/// use tower_api_key::key::{KeyDigest, KeyRecord};
/// use tower_api_key::store::{KeyManager, ManageError, MemoryStore};
/// use tower_api_key::{ApiKeyLayer, Observer, Profile};
///
/// enum Alarm {
///     Exposed(KeyDigest),
///     UsedElsewhere(String, Option<IpAddr>),
/// }
///
/// struct Alarms(UnboundedSender<Alarm>);
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
///
/// /// The worker. It could also ask the key's owner first.
/// async fn revoke_keys(
///     store: impl KeyManager,
///     mut alarms: UnboundedReceiver<Alarm>,
/// ) -> Result<(), ManageError> {
///     while let Some(alarm) = alarms.recv().await {
///         match alarm {
///             Alarm::UsedElsewhere(id, client) => {
///                 store.revoke(&id, &format!("gate: used from {client:?}")).await?;
///             }
///             // The key was not looked up yet, so it may not exist.
///             Alarm::Exposed(digest) => {
///                 if let Ok(Some(record)) = store.find(&digest).await {
///                     store.revoke(record.id().as_str(), "gate: came over plain HTTP").await?;
///                 }
///             }
///         }
///     }
///     Ok(())
/// }
///
/// let (sender, alarms) = unbounded_channel();
/// let store = MemoryStore::new();
/// let worker = revoke_keys(store.clone(), alarms); // for `tokio::spawn`
/// let builder = ApiKeyLayer::builder(Profile::STANDARD, store);
/// let layer = builder.observer(Alarms(sender)).build()?;
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
pub trait Observer: Send + Sync + 'static {
    /// Returns true if the observer wants [`admitted`](Self::admitted), [`ended`](Self::ended) and
    /// [`waited`](Self::waited). The default is false.
    ///
    /// The builder asks once, when it gets the observer.
    fn observes_requests(&self) -> bool {
        false
    }

    /// Returns true if an observer that [observes requests](Self::observes_requests) also wants
    /// [`admitted`](Self::admitted). The default is true. An observer that writes [`ended`](Self::ended) only can save the
    /// call.
    fn observes_admissions(&self) -> bool {
        true
    }

    /// Returns true if an observer that [observes requests](Self::observes_requests) needs the
    /// [latency](ObservedRequest::latency) of each decision. The default is true. For such an observer, the gate reads the
    /// steady time of its clock when a request comes, and when it is decided.
    ///
    /// If no observer of a layer needs it, the gate reads that clock for requests that wait, and for no others. Then the
    /// latency begins with the first wait. It is zero for a decision that did not wait.
    fn observes_latencies(&self) -> bool {
        true
    }

    /// Called when the gate has admitted a request, before the inner service gets it. Not called for a preflight that
    /// the gate answers itself.
    ///
    /// Called only if [`observes_requests`](Self::observes_requests) is true. It must return at once, without waiting
    /// for a lock or a full channel: the client waits for it.
    fn admitted(&self, request: &ObservedRequest<'_>) {
        let _ = request;
    }

    /// Called once for each request, admitted or not, when the gate knows the status of its response. A handler can
    /// refuse a request that was [`admitted`](Self::admitted) before.
    ///
    /// Called only if [`observes_requests`](Self::observes_requests) is true. It must return at once, without waiting
    /// for a lock or a full channel: the client waits for it. Put what takes time into a bounded channel with
    /// `try_send`, and let a task of your own receive it.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tokio::sync::mpsc::{Sender, channel};
    /// use tower_api_key::decision::{ObservedRequest, RequestDecision, RequestEnd};
    /// use tower_api_key::{ApiKeyLayer, Observer, Profile, store::MemoryStore};
    ///
    /// struct Latencies(Sender<(RequestDecision, Duration)>);
    ///
    /// impl Observer for Latencies {
    ///     fn observes_requests(&self) -> bool {
    ///         true
    ///     }
    ///
    ///     fn ended(&self, request: &ObservedRequest<'_>, _: RequestEnd) {
    ///         let _ = self.0.try_send((request.decision(), request.latency())); // lost if the channel is full
    ///     }
    /// }
    ///
    /// let (sender, latencies) = channel(1_000); // for a task
    /// let builder = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new());
    /// let layer = builder.observer(Latencies(sender)).build()?;
    /// # Ok::<(), tower_api_key::ConfigError>(())
    /// ```
    fn ended(&self, request: &ObservedRequest<'_>, end: RequestEnd) {
        let _ = (request, end);
    }

    /// Called when a request has waited for the store, the limiter or a permit. Not called for an answer that came at
    /// once, as from memory. A request can wait several times.
    ///
    /// Called only if [`observes_requests`](Self::observes_requests) is true. It must return at once.
    fn waited(&self, wait: &ObservedWait<'_>) {
        let _ = wait;
    }

    /// Called when a request is refused. `record` is the key's record, or `None` if the request has no valid
    /// key.
    fn refused(&self, denial: &Denial, record: Option<&KeyRecord>) {
        let _ = (denial, record);
    }

    /// Called when the gate answers a refused request, with all facts of the refusal. [`refused`](Self::refused) is
    /// called before, when the gate refuses it.
    ///
    /// The id of the request is among the facts if the profile has
    /// [request ids](crate::profile::RequestIdHeader). Method and path are among them if an answer of the profile has
    /// one of them.
    ///
    /// ```
    /// use tower_api_key::Observer;
    /// use tower_api_key::profile::Refusal;
    ///
    /// struct Log;
    ///
    /// impl Observer for Log {
    ///     fn answered(&self, refusal: &Refusal<'_>) {
    ///         let id = refusal.request_id().unwrap_or("-");
    ///         println!("{id} {} {}", refusal.status().as_u16(), refusal.denial());
    ///     }
    /// }
    /// ```
    fn answered(&self, refusal: &Refusal<'_>) {
        let _ = refusal;
    }

    /// Called once for each shadow quota that would have refused a request that passed. `quota` is the name of
    /// the quota. Enforced, the quotas would have refused the request once, however many calls report it.
    fn would_refuse(&self, record: &KeyRecord, quota: &str) {
        let _ = (record, quota);
    }

    /// Called when the limiter has given a cost back to the account of a request, in the units of
    /// [`Route::cost`](crate::rules::Route::cost). `cost` is what the gate asked for. The limiter gives back less if
    /// a window has ended since the charge.
    fn refunded(&self, record: &KeyRecord, cost: u32) {
        let _ = (record, cost);
    }

    /// Called when the limiter was asked to give the cost of a request without a key back to the client's network, in
    /// the units of [`Route::cost`](crate::rules::Route::cost). The limiter gives back less if a window has ended since
    /// the charge, and nothing to networks that it counts together.
    fn refunded_anonymous(&self, network: &ClientNetwork, cost: u32) {
        let _ = (network, cost);
    }

    /// Called once for each shadow quota that would have refused a request without a key that passed. `network` is
    /// the client's network, and `quota` the name of the quota.
    fn would_refuse_anonymous(&self, network: &ClientNetwork, quota: &str) {
        let _ = (network, quota);
    }

    /// Called when a well-formed key came over plain HTTP, where others could read it.
    ///
    /// The gate has not looked the key up, and anyone can make up a key that fits the format. So there are at
    /// most 60 calls an hour for one client network. If [failed attempts](crate::attempts::FailedAttempts) are
    /// limited, their limit counts instead.
    ///
    /// With a [keyring](crate::key::Peppers) of several peppers, each time stands for one call with the digest by each
    /// pepper, the current one first. All of these digests together lead to one key at most.
    fn key_exposed(&self, digest: &KeyDigest) {
        let _ = digest;
    }

    /// Called when a valid key is used from a network that is not on its allowlist. The request is refused.
    /// Either the allowlist lacks a network of the key's owner, or somebody else has the key.
    ///
    /// `client` is the client's address, or `None` if the gate cannot determine it. There are at most 60 calls
    /// an hour for one key.
    fn key_used_elsewhere(&self, record: &KeyRecord, client: Option<IpAddr>) {
        let _ = (record, client);
    }

    /// Called for the failed attempt that uses up the limit of a client's network. The gate refuses attempts
    /// from that network for the time `retry_after`, and reports them to [`refused`](Self::refused) as
    /// [`Denial::TooManyFailures`]. There is one call each time the limit is used up.
    fn network_refused(&self, client: IpAddr, retry_after: Duration) {
        let _ = (client, retry_after);
    }

    /// Called when the store could not answer. The client gets the profile's answer to
    /// [`Denial::StoreUnavailable`], a 503 in all profiles of this crate.
    fn store_failed(&self, error: &StoreError) {
        let _ = error;
    }

    /// Called when the limiter of simultaneous requests could not answer. `fallback` is what the gate did
    /// instead.
    fn concurrency_failed(&self, error: &LimiterError, fallback: LimiterFallback) {
        let _ = (error, fallback);
    }

    /// Called when the limiter could not answer. `fallback` is what the gate did instead.
    /// [`ApiKeyLayer::limiter_failures`](crate::ApiKeyLayer::limiter_failures) counts the failures, too.
    fn limiter_failed(&self, error: &LimiterError, fallback: LimiterFallback) {
        let _ = (error, fallback);
    }
}
