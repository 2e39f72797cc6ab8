//! What all gates of a layer share, and how a request holds it.

use std::ops::Deref;
use std::sync::Arc;

use super::observer::Observer;
use super::options::GateOptions;
use super::preflight::PreparedPreflight;
use crate::attempts::{Alarms, AttemptLimiter, EventLimiter};
use crate::clock::Timestamp;
use crate::concurrency::MemoryConcurrency;
use crate::decision::Policy;
use crate::limits::FallbackLimiter;
use crate::response::Renderer;

/// What all gates of a layer share.
pub(super) struct Shared {
    pub(super) policy: Policy,
    pub(super) renderer: Renderer,
    pub(super) options: GateOptions,
    /// Decides in place of a limiter that cannot answer.
    pub(super) fallback: FallbackLimiter,
    pub(super) attempts: Option<AttemptLimiter>,
    /// Counts requests of a key that the rules refuse.
    pub(super) refusals: Option<EventLimiter>,
    /// Bounds how often the observer is called about a key or a network, if there is an observer.
    pub(super) alarms: Option<Alarms>,
    /// Grants places while those of the options cannot.
    pub(super) local_concurrency: MemoryConcurrency,
    /// What the gate answers to preflights. Without it, preflights that are let through are passed on.
    pub(super) preflight: Option<PreparedPreflight>,
    pub(super) name: Box<str>,
}

impl Shared {
    /// Reads the clock.
    pub(super) fn now(&self) -> Timestamp {
        self.options.clock.now()
    }

    /// Calls the observer, if there is one.
    #[inline]
    pub(super) fn observe(&self, call: impl FnOnce(&dyn Observer)) {
        if let Some(observer) = &self.options.observer {
            call(&**observer);
        }
    }
}

/// Holds what all gates share, for one request.
///
/// Servers that clone the gate for every request (axum, hyper-util) hold it directly. A gate that is
/// called again and again, by a connection of its own, has a reference count of its own: threads would
/// pass a count that all connections share to and fro, and two threads would serve no more than one.
pub(super) enum SharedHandle {
    Direct(Arc<Shared>),
    PerGate(Arc<PerGate>),
}

/// What all gates share, under one gate's own reference count.
pub(super) struct PerGate(Arc<Shared>);

impl PerGate {
    pub(super) fn new(shared: &Arc<Shared>) -> Arc<Self> {
        Arc::new(Self(Arc::clone(shared)))
    }
}

impl Deref for SharedHandle {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        match self {
            Self::Direct(shared) => shared,
            Self::PerGate(gate) => &gate.0,
        }
    }
}
