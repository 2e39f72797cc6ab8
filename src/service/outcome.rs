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

/// What was decided. It lies in the request's future; boxing it would cost an allocation.
#[allow(clippy::large_enum_variant)]
pub(super) enum Outcome {
    Refused {
        denial: Denial,
        /// Who was refused, if their key serves.
        passage: Option<Passage>,
    },
    Admitted(Admitted),
}

/// An authenticated request on its way to an answer.
pub(super) struct Passage {
    pub(super) record: Arc<KeyRecord>,
    pub(super) route: Option<usize>,
    pub(super) verdict: Option<Verdict>,
    pub(super) now: Timestamp,
}

/// A request on its way to the inner service and back.
#[derive(Default)]
pub(super) struct Admitted {
    /// The proof that it passed; none if it needed no key.
    pub(super) grant: Option<Grant>,
    pub(super) route: Option<usize>,
    pub(super) now: Timestamp,
    pub(super) permit: Option<Permit>,
    pub(super) budget: Option<Duration>,
    /// The header that carried the key, if it is not one that caches know.
    pub(super) own_header: Option<HeaderName>,
}

impl Passage {
    /// Returns what the response says of the principal and its limits.
    pub(super) fn trail<'a>(&'a self, shared: &'a Shared) -> Trail<'a> {
        trail(shared, &self.record, self.route, self.verdict.as_ref(), self.now)
    }
}

impl Admitted {
    /// Returns what the response says of the principal and its limits.
    pub(super) fn trail<'a>(&'a self, shared: &'a Shared) -> Option<Trail<'a>> {
        let grant = self.grant.as_ref()?;
        Some(trail(shared, grant.record(), self.route, Some(grant.verdict()), self.now))
    }

    pub(super) fn record(&self) -> Option<&KeyRecord> {
        self.grant.as_ref().map(Grant::record)
    }
}

fn trail<'a>(
    shared: &'a Shared,
    record: &'a KeyRecord,
    route: Option<usize>,
    verdict: Option<&'a Verdict>,
    now: Timestamp,
) -> Trail<'a> {
    Trail { record, quotas: shared.policy.quotas(record, route), verdict, now }
}
