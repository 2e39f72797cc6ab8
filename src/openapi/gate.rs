//! The parts of a gate that a document describes.

use crate::decision::Policy;
use crate::response::Renderer;

/// A gate, as a document describes it. It is read from what the gate decides and answers with.
pub(crate) struct DescribedGate<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) renderer: &'a Renderer,
    /// The name of the vendor.
    pub(crate) name: &'a str,
    /// Whether a quota refuses requests: a limiter counts, or the gate has none and refuses what it cannot count.
    pub(crate) limits: DescribedLimits,
    /// Whether the gate refuses a key whose requests it has refused too often.
    pub(crate) counts_refusals: bool,
    /// Whether a request is refused while the limiter of simultaneous requests cannot answer.
    pub(crate) needs_permits: bool,
}

/// What counts requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DescribedLimits {
    /// A limiter.
    Counted,
    /// Nothing, and quotas that the gate learns of at run time refuse requests.
    Unset,
    /// Nothing, as configured.
    Off,
}
