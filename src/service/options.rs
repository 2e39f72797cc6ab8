//! The options of a gate that the service reads.

use std::sync::Arc;

use super::observers::Observers;
use super::preflight::HasContent;
#[cfg(feature = "axum")]
use super::preflight::has_content;
use crate::clock::{Clock, SystemClock};
use crate::concurrency::ConcurrencyLimiter;
use crate::key::{KeyDigest, SharedRecord};
use crate::limits::Limiter;
use crate::quota::OnLimiterFailure;
use crate::request::OriginalRequest;
use crate::store::{KeyStore, Rehasher, StoreError};
use crate::sync::Reply;

/// The options that the builder sets and the service reads.
#[allow(clippy::struct_excessive_bools)] // The switches are independent of each other.
pub(super) struct GateOptions {
    pub(super) store: Arc<dyn KeyStore>,
    pub(super) limits: Limits,
    /// Set in place of the layer's own limiter.
    pub(super) concurrency: Option<Arc<dyn ConcurrencyLimiter>>,
    /// `None` for the limiter in memory, which always answers.
    pub(super) on_concurrency_failure: Option<OnLimiterFailure>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) observers: Observers,
    /// Gets the keys that are found by a former pepper.
    pub(super) rehasher: Option<Rehasher>,
    /// A function for each known type of request body, which returns true for a body with content.
    pub(super) bodies: Vec<HasContent>,
    /// Where a proxy states the request that it asks about.
    pub(super) original: Option<OriginalRequest>,
    pub(super) strip_credential: bool,
    /// Lets trusted proxies choose the ids of requests.
    pub(super) takes_request_ids: bool,
    pub(super) leave_grant: bool,
    /// Puts what is proven about the client into the request's extensions.
    pub(super) leave_client: bool,
    /// Puts the decision into the response's extensions.
    pub(super) leave_decision: bool,
    /// The protocol to select in the answer to a WebSocket handshake, not checked yet.
    pub(super) websocket_protocol: Option<String>,
}

/// How requests are counted.
pub(super) enum Limits {
    /// Not set. A quota that the gate learns of at run time refuses the request, because nothing counts it.
    Unset,
    /// Not at all, as configured.
    Off,
    /// By a limiter.
    Counted(Arc<dyn Limiter>, OnLimiterFailure),
}

impl GateOptions {
    /// Looks up a key, and lets the limiter prepare for its request.
    #[inline]
    pub(super) fn find(
        &self,
        digest: &KeyDigest,
    ) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        match &self.limits {
            Limits::Counted(limiter, _) => {
                self.store.find_and_preload(digest, &|place| limiter.preload(place))
            }
            Limits::Off | Limits::Unset => self.store.find(digest),
        }
    }

    /// Sets each option to its safest value.
    pub(super) fn new(store: Arc<dyn KeyStore>) -> Self {
        Self {
            store,
            limits: Limits::Unset,
            concurrency: None,
            on_concurrency_failure: None,
            clock: Arc::new(SystemClock),
            observers: Observers::default(),
            rehasher: None,
            bodies: vec![
                #[cfg(feature = "axum")]
                has_content::<axum::body::Body>,
            ],
            original: None,
            strip_credential: false,
            takes_request_ids: false,
            leave_grant: true,
            leave_client: false,
            leave_decision: false,
            websocket_protocol: None,
        }
    }
}
