//! What was decided of a request, and what it leaves on its response.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;

use super::layer::Shared;
use crate::clock::Timestamp;
use crate::decision::Grant;
use crate::denial::Denial;
use crate::key::KeyRecord;
use crate::limits::{Permit, Verdict};
use crate::response::Trail;

/// What an authenticated request leaves on its response.
pub(super) struct Passage {
    pub(super) record: Arc<KeyRecord>,
    pub(super) route: Option<usize>,
    pub(super) verdict: Option<Verdict>,
    pub(super) now: Timestamp,
}

impl Passage {
    pub(super) fn trail<'a>(&'a self, shared: &'a Shared) -> Trail<'a> {
        Trail {
            record: &self.record,
            quotas: shared.policy.quotas(&self.record, self.route),
            verdict: self.verdict.as_ref(),
            now: self.now,
        }
    }
}

/// What was decided. It lies in the request's future; boxing it would cost an allocation.
#[allow(clippy::large_enum_variant)]
pub(super) enum Outcome {
    Refused {
        denial: Denial,
        passage: Option<Passage>,
    },
    Admitted(Admitted),
}

/// A request on its way to the inner service.
#[derive(Default)]
pub(super) struct Admitted {
    /// The proof that it passed; none if it needed no key.
    pub(super) grant: Option<Grant>,
    pub(super) passage: Option<Passage>,
    pub(super) permit: Option<Permit>,
    pub(super) budget: Option<Duration>,
    /// The header that carried the key, if it is not one that caches know.
    pub(super) own_header: Option<HeaderName>,
}
