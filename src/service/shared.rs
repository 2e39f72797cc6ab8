//! The state that all gates of a layer share, and the handle by which a request holds it.

use std::ops::Deref;
use std::sync::Arc;

use super::layer_counts::LayerCounts;
use super::observer::Observer;
use super::options::GateOptions;
use super::preflight::PreparedPreflight;
use super::selected_protocol::SelectedProtocol;
use crate::clock::Timestamp;
use crate::concurrency::ConcurrencyLimiter;
use crate::decision::{CounterOfLayer, Policy};
use crate::response::Renderer;

/// The state that all gates of a layer share.
pub(super) struct Shared {
    pub(super) policy: Policy,
    pub(super) renderer: Renderer,
    pub(super) options: GateOptions,
    pub(super) counted: LayerCounts,
    /// The gate's answer to preflights. Without it, the gate passes admitted preflights on.
    pub(super) preflight: Option<PreparedPreflight>,
    /// The protocol to select where the service selects none.
    pub(super) websocket_protocol: Option<SelectedProtocol>,
    pub(super) name: Box<str>,
    /// What counts the layer's requests for metrics.
    pub(super) counter: CounterOfLayer,
}

impl Shared {
    /// Reads the clock.
    pub(super) fn now(&self) -> Timestamp {
        self.options.clock.now()
    }

    /// Returns the limiter of simultaneous requests.
    pub(super) fn concurrency(&self) -> &dyn ConcurrencyLimiter {
        self.options.concurrency.as_deref().unwrap_or(&self.counted.local_concurrency)
    }

    /// Calls the observers.
    #[inline]
    pub(super) fn observe(&self, call: impl Fn(&dyn Observer)) {
        self.options.observers.each(call);
    }
}

/// A handle of the shared state, for one request.
///
/// Each gate that a layer makes has a reference count of its own, which its clones share: axum makes a gate for each route
/// of a connection and clones it for each request. A gate that serves many requests by itself gets another count. If
/// all connections shared one count, it would bounce between the threads: two threads would serve no more requests than one.
pub(super) struct SharedHandle(Arc<PerGate>);

/// The shared state under a reference count of its own: that of one gate, or of a few threads.
pub(super) struct PerGate {
    shared: Arc<Shared>,
    /// Keeps the counts of two allocations out of one cache line. With its count, a value takes 64 bytes.
    _apart: [u64; 5],
}

impl PerGate {
    pub(super) fn new(shared: &Arc<Shared>) -> Arc<Self> {
        Arc::new(Self { shared: Arc::clone(shared), _apart: [0; 5] })
    }

    /// Returns the shared state.
    pub(super) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl SharedHandle {
    /// Counts a reference of a gate or of a few threads.
    pub(super) fn of(gate: &Arc<PerGate>) -> Self {
        Self(Arc::clone(gate))
    }
}

impl Deref for SharedHandle {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0.shared
    }
}
