//! The options of a gate that its service reads.

use std::sync::Arc;

use super::observer::Observer;
use super::preflight::HasContent;
#[cfg(feature = "axum")]
use super::preflight::has_content;
use crate::clock::{Clock, SystemClock};
use crate::concurrency::{ConcurrencyLimiter, MemoryConcurrency};
use crate::limits::Limiter;
use crate::quota::OnLimiterFailure;
use crate::store::KeyStore;

/// Holds what the builder sets and the service reads, from the first setter to the last request.
pub(super) struct GateOptions {
    pub(super) store: Arc<dyn KeyStore>,
    pub(super) limits: Limits,
    pub(super) concurrency: Arc<dyn ConcurrencyLimiter>,
    pub(super) on_concurrency_failure: OnLimiterFailure,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) observer: Option<Arc<dyn Observer>>,
    /// How a request's body shows that there is content, for each type of body that is known.
    pub(super) bodies: Vec<HasContent>,
    pub(super) strip_credential: bool,
    pub(super) leave_grant: bool,
}

/// How requests are counted.
pub(super) enum Limits {
    /// Not set: a quota that turns up at run time refuses, since it cannot be kept.
    Unset,
    /// Not at all, as the builder was told.
    Off,
    /// By a limiter.
    Counted(Arc<dyn Limiter>, OnLimiterFailure),
}

impl GateOptions {
    /// Has the safest value of each option.
    pub(super) fn new(store: Arc<dyn KeyStore>) -> Self {
        Self {
            store,
            limits: Limits::Unset,
            concurrency: Arc::new(MemoryConcurrency::new()),
            // In memory nothing fails.
            on_concurrency_failure: OnLimiterFailure::Deny,
            clock: Arc::new(SystemClock),
            observer: None,
            bodies: vec![
                #[cfg(feature = "axum")]
                has_content::<axum::body::Body>,
            ],
            strip_credential: false,
            leave_grant: true,
        }
    }
}
