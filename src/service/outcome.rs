//! What was decided of a request, and what it leaves on its response.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::decision::{Grant, Policy};
use crate::denial::Denial;
use crate::key::{KeyRecord, SharedRecord};
use crate::limits::{Permit, Verdict};
use crate::request::CredentialSource;
use crate::response::Trail;

/// What was decided. Boxing it would cost every request an allocation.
#[allow(clippy::large_enum_variant)]
pub(super) enum Outcome {
    Refused(Refusal),
    Admitted(Admitted),
}

/// Why a request was refused, and who.
pub(super) struct Refusal {
    pub(super) denial: Denial,
    /// The principal, if their key serves.
    pub(super) passage: Option<Passage>,
}

/// An authenticated request on its way to a refusal.
pub(super) struct Passage {
    pub(super) record: SharedRecord,
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
    /// What carried the key.
    pub(super) source: Option<&'static CredentialSource>,
}

impl Passage {
    /// Returns what the response says of the principal and its limits.
    pub(super) fn trail<'a>(&'a self, policy: &'a Policy) -> Trail<'a> {
        trail(policy, &self.record, self.route, self.verdict.as_ref(), self.now)
    }
}

impl Admitted {
    /// Returns what the response says of the principal and its limits.
    pub(super) fn trail<'a>(&'a self, policy: &'a Policy) -> Option<Trail<'a>> {
        let grant = self.grant.as_ref()?;
        Some(trail(policy, grant.record(), self.route, Some(grant.verdict()), self.now))
    }

    pub(super) fn record(&self) -> Option<&KeyRecord> {
        self.grant.as_ref().map(Grant::record)
    }
}

fn trail<'a>(
    policy: &'a Policy,
    record: &'a KeyRecord,
    route: Option<usize>,
    verdict: Option<&'a Verdict>,
    now: Timestamp,
) -> Trail<'a> {
    Trail { record, quotas: policy.quotas(record, route), verdict, now }
}
