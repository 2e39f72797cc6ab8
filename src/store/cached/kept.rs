//! A cached answer, and how long it is usable.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use super::moment::{AgeLimit, Moment};
use super::notices::Notices;
use super::settings::Settings;
use super::table::CacheEntry;
use crate::clock::{Clock, nanoseconds};
use crate::key::{Bookmark, KeyDigest, KeyRecord, RecordPage, SharedRecord};

/// A cached record. It lies beside what the cache knows of it, under one reference count: a hit takes one count and
/// one wait for memory less than with a record of its own.
pub(super) struct Kept {
    digest: KeyDigest,
    pub(super) record: KeyRecord,
    asked: Asked,
    /// How old the record may get while proofs of life come, in nanoseconds.
    refresh: u64,
    /// The slot of its account in [`Notices`].
    account: usize,
    /// When a use of the secret was last recorded, in nanoseconds since 1970.
    pub(super) noted: AtomicU64,
}

/// A cached unknown secret.
pub(super) struct Unknown {
    digest: KeyDigest,
    asked: Asked,
    refresh: u64,
}

/// How a cached record may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    /// The record answers a lookup.
    Fresh,
    /// The store is asked first. The record answers the lookup if the store cannot.
    Old,
    /// The record is never used again.
    Over,
}

/// When, and after which notice, the store was asked.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    pub(super) at: Moment,
    pub(super) after: u64,
}

/// How old answers may be. An age counts from when the store was asked, or from a later proof of life.
pub(super) struct AgeLimits {
    fresh: AgeLimit,
    usable: AgeLimit,
    unknown: AgeLimit,
    refresh_after: Duration,
    lag: Duration,
}

/// The present instant, and the last proof of life before it.
pub(super) struct AgeContext<'a> {
    pub(super) at: Moment,
    pub(super) proof: Moment,
    pub(super) limits: &'a AgeLimits,
    pub(super) notices: &'a Notices,
    pub(super) clock: &'a dyn Clock,
}

impl AgeLimits {
    pub(super) fn new(settings: &Settings) -> Self {
        let limit = |length| AgeLimit::new(length, settings.lag);
        Self {
            fresh: limit(settings.staleness),
            usable: limit(settings.staleness.saturating_add(settings.grace)),
            unknown: limit(settings.unknown_for),
            refresh_after: settings.refresh_after,
            lag: settings.lag,
        }
    }

    /// Returns nanoseconds between half of `refresh_after` and all of it, so that records that were read together
    /// are not read again together.
    fn refresh(&self, notices: &Notices) -> u64 {
        let half = self.refresh_after / 2;
        nanoseconds(half.saturating_add(half.mul_f64(notices.random_share())))
    }
}

impl AgeContext<'_> {
    fn is_within(&self, limit: AgeLimit, start: Moment) -> bool {
        limit.holds(start, self.at, self.clock)
    }

    /// Returns true if an answer of this age need not be refreshed. `refresh` is in nanoseconds.
    fn needs_no_refresh(&self, refresh: u64, start: Moment) -> bool {
        self.is_within(AgeLimit::new(Duration::from_nanos(refresh), self.limits.lag), start)
    }
}

impl Kept {
    pub(super) fn new(
        digest: KeyDigest,
        record: KeyRecord,
        asked: Asked,
        noted: u64,
        limits: &AgeLimits,
        notices: &Notices,
    ) -> Self {
        let account = notices.slot_of(record.account().id());
        let refresh = limits.refresh(notices);
        Self { digest, record, asked, refresh, account, noted: AtomicU64::new(noted) }
    }

    /// Shares the record with a request.
    pub(super) fn share(self: Arc<Self>) -> SharedRecord {
        SharedRecord::new(self, 0)
    }

    /// Returns how the record may be used. After a notice of its account the record is over, even if the
    /// store cannot answer. After a notice of everything the record is old.
    pub(super) fn age(&self, now: &AgeContext<'_>) -> Age {
        let Asked { at, after } = self.asked;
        if now.notices.names_account_after(after, self.account) {
            return Age::Over;
        }
        let is_doubtful = now.notices.names_everything_after(after);
        if !is_doubtful
            && (now.is_within(now.limits.fresh, at)
                || now.is_within(now.limits.fresh, now.proof)
                    && now.needs_no_refresh(self.refresh, at))
        {
            return Age::Fresh;
        }
        let usable = now.limits.usable;
        // Of the run in which the record was read.
        let proof = if is_doubtful { now.notices.proofs.last_of_run(after) } else { now.proof };
        if now.is_within(usable, at) || now.is_within(usable, proof) { Age::Old } else { Age::Over }
    }

    /// Returns the time since it was last proven that the record is up to date.
    pub(super) fn time_since_proof(&self, now: &AgeContext<'_>) -> Duration {
        let Asked { at, after } = self.asked;
        let is_doubtful = now.notices.names_everything_after(after);
        let proof = if is_doubtful { now.notices.proofs.last_of_run(after) } else { now.proof };
        let ages = [at.age(now.at), proof.age(now.at)];
        Duration::from_nanos(ages.into_iter().flatten().min().unwrap_or_default())
    }
}

impl RecordPage for Kept {
    fn at(&self, _: u32) -> Option<&KeyRecord> {
        Some(&self.record)
    }
}

impl CacheEntry for Kept {
    fn digest(&self) -> &KeyDigest {
        &self.digest
    }

    fn bookmark(&self) -> Option<&Bookmark> {
        Some(self.record.bookmark())
    }
}

impl CacheEntry for Unknown {
    fn digest(&self) -> &KeyDigest {
        &self.digest
    }

    fn bookmark(&self) -> Option<&Bookmark> {
        None
    }
}

impl Unknown {
    pub(super) fn new(
        digest: KeyDigest,
        asked: Asked,
        limits: &AgeLimits,
        notices: &Notices,
    ) -> Self {
        Self { digest, asked, refresh: limits.refresh(notices) }
    }

    /// Returns true if the secret still counts as unknown without asking the store.
    pub(super) fn counts(&self, now: &AgeContext<'_>) -> bool {
        let (Asked { at, after }, limit) = (self.asked, now.limits.unknown);
        !now.notices.names_unknown_after(after)
            && (now.is_within(limit, at)
                || now.is_within(limit, now.proof) && now.needs_no_refresh(self.refresh, at))
    }
}
