//! What is kept of a lookup, and for how long it counts.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use super::notices::Notices;
use super::settings::Settings;
use crate::clock::Timestamp;
use crate::key::SharedRecord;

/// A record, and up to when it counts.
pub(super) struct Kept {
    pub(super) record: SharedRecord,
    life: Life,
    /// The first instant at which it does not serve even while the store cannot answer.
    usable_until: Timestamp,
    /// Where notices about its account are written down.
    account: usize,
    /// When a use of the secret was last noted, in nanoseconds since 1970.
    pub(super) noted: AtomicU64,
}

/// A secret that the store does not know.
#[derive(Clone, Copy)]
pub(super) struct Unknown(Life);

/// When, and after which notice, the store was asked; and up to when its answer counts.
#[derive(Clone, Copy)]
struct Life {
    asked: Timestamp,
    until: Timestamp,
    after: u64,
}

/// What a kept record is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    /// It is answered.
    Fresh,
    /// The store is asked first; it is answered if the store cannot tell.
    Old,
    /// It is not answered again.
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

    /// Returns what the record is good for. One whose account was named since is not answered, whatever
    /// becomes of the store; while anything may have changed the store is asked.
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

    /// Returns true if the store need not be asked again.
    pub(super) fn counts(self, now: Timestamp, notices: &Notices) -> bool {
        self.0.has_begun(now) && now < self.0.until && !notices.names_unknown_after(self.0.after)
    }
}

impl Life {
    /// A reading of the clock may lag, so a life ends as much earlier as that: it must not end late.
    fn new(asked: Asked, length: Duration, settings: &Settings) -> Self {
        let until = asked.at.plus(length.saturating_sub(settings.lag));
        Self { asked: asked.at, until, after: asked.after }
    }

    /// Returns false if the clock was set back: then nothing is known of the age.
    fn has_begun(self, now: Timestamp) -> bool {
        self.asked <= now
    }
}
