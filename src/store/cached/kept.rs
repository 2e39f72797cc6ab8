//! A cached answer, and how long it is usable.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use super::notices::Notices;
use super::settings::Settings;
use crate::clock::Timestamp;
use crate::key::SharedRecord;

/// A cached record.
pub(super) struct Kept {
    pub(super) record: SharedRecord,
    life: Life,
    /// The first instant at which the record is not even used while the store cannot answer.
    usable_until: Timestamp,
    /// The slot of its account in [`Notices`].
    account: usize,
    /// When a use of the secret was last recorded, in nanoseconds since 1970.
    pub(super) noted: AtomicU64,
}

/// A cached unknown secret.
#[derive(Clone, Copy)]
pub(super) struct Unknown(Life);

/// When and after which notice the store was asked, and the first instant at which its answer is too old.
#[derive(Clone, Copy)]
struct Life {
    asked: Timestamp,
    until: Timestamp,
    after: u64,
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
    pub(super) at: Timestamp,
    pub(super) after: u64,
}

impl Kept {
    pub(super) fn new(
        record: SharedRecord,
        asked: Asked,
        account: usize,
        noted: u64,
        settings: &Settings,
    ) -> Self {
        let life = Life::new(asked, settings.staleness, settings);
        let usable = settings.staleness.saturating_add(settings.grace);
        let usable_until = Life::new(asked, usable, settings).until;
        Self { record, life, usable_until, account, noted: AtomicU64::new(noted) }
    }

    /// Returns how the record may be used. After a notice of its account the record is over, even if the
    /// store cannot answer. After a notice of everything the record is old.
    pub(super) fn age(&self, now: Timestamp, notices: &Notices) -> Age {
        let is_over = !self.life.has_begun(now)
            || now >= self.usable_until
            || notices.names_account_after(self.life.after, self.account);
        if is_over {
            Age::Over
        } else if now < self.life.until && !notices.names_everything_after(self.life.after) {
            Age::Fresh
        } else {
            Age::Old
        }
    }
}

impl Unknown {
    pub(super) fn new(asked: Asked, settings: &Settings) -> Self {
        Self(Life::new(asked, settings.unknown_for, settings))
    }

    /// Returns true if the secret still counts as unknown without asking the store.
    pub(super) fn counts(self, now: Timestamp, notices: &Notices) -> bool {
        self.0.has_begun(now) && now < self.0.until && !notices.names_unknown_after(self.0.after)
    }
}

impl Life {
    /// The life ends earlier by the lag of the clock, so that it never ends late.
    fn new(asked: Asked, length: Duration, settings: &Settings) -> Self {
        let until = asked.at.plus(length.saturating_sub(settings.lag));
        Self { asked: asked.at, until, after: asked.after }
    }

    /// Returns false if the clock was set back. The age is unknown then.
    fn has_begun(self, now: Timestamp) -> bool {
        self.asked <= now
    }
}
