//! Builds what the tables of a file describe, to find what contradicts itself.

use std::sync::Arc;

use bumpalo::Bump;

use super::backends::Backends;
use super::profile::NOTHING;
use super::read::{Contradiction, Path};
use super::services::WebhookSettings;
use super::tables::FrontDoorTable;
use crate::clock::{Clock, SystemClock};
use crate::error::ConfigError;
use crate::limits::MemoryLimiter;
use crate::profile::Profile;
use crate::quota::OnLimiterFailure;
use crate::service::ApiKeyLayerBuilder;

/// Builds what the tables describe, as a program would. Of a file with mistakes, what is left is built on the standards'
/// profile, so that further mistakes are found.
pub(super) fn check(tables: &FrontDoorTable, is_repaired: bool) -> Result<(), Vec<Contradiction>> {
    let whole;
    let tables = if is_repaired {
        whole = FrontDoorTable { profile: tables.profile.clone().on_standard(), ..tables.clone() };
        &whole
    } else {
        tables
    };
    let backends = Backends::in_memory();
    let Err(error) = tables.builder(&backends)?.build() else {
        tables.check_management(&backends)?;
        return tables.check_ends();
    };
    let mut found = tables.locate_all(&error);
    if matches!(error, ConfigError::LimiterMissing) {
        // No field can be left out, so the others are looked for with a limiter.
        let counted =
            tables.builder(&backends)?.limits(MemoryLimiter::new(), OnLimiterFailure::Deny);
        found.extend(counted.build().err().iter().flat_map(|error| tables.locate_all(error)));
    }
    Err(found)
}

impl FrontDoorTable {
    /// Starts a layer as the tables say.
    pub(super) fn builder(
        &self,
        backends: &Backends,
    ) -> Result<ApiKeyLayerBuilder, Vec<Contradiction>> {
        let store = || Arc::clone(&backends.store);
        let described = self.with_profile(|profile| Ok(ApiKeyLayerBuilder::new(&profile, store())));
        let mut found = self.in_store();
        self.in_services(&mut found);
        let mut builder = described.unwrap_or_else(|contradiction| {
            found.push(contradiction);
            ApiKeyLayerBuilder::new(&NOTHING, store())
        });
        if let (Some(settings), Some(limiter)) = (&self.limiter, &backends.limiter) {
            builder = builder.limits(Arc::clone(limiter), settings.on_failure());
            if let Some(concurrency) =
                backends.concurrency.as_ref().filter(|_| settings.simultaneous)
            {
                builder = builder.concurrency(Arc::clone(concurrency), settings.on_failure());
            }
        }
        if let Some(attempts) = &self.failed_attempts {
            builder = builder.failed_attempts(attempts.describe_shared(backends.limiter.as_ref()));
        }
        if let Some(rehasher) = &backends.rehasher {
            builder = builder.rehasher(rehasher);
        }
        let applied = self.apply(builder, &mut found);
        if found.is_empty() { Ok(applied) } else { Err(found) }
    }

    /// Finds the ends of peppers that have passed. Only a file that is read is checked for them: what was read before
    /// goes on.
    fn check_ends(&self) -> Result<(), Vec<Contradiction>> {
        let Some(peppers) = &self.peppers else { return Ok(()) };
        let path = Path::default().field("peppers");
        peppers
            .describe_at(&path, SystemClock.now())
            .map_or_else(|found| Err(vec![found]), |_| Ok(()))
    }

    /// Finds what contradicts itself in management, events and webhooks.
    fn in_services(&self, found: &mut Vec<Contradiction>) {
        let store = self.store.as_ref();
        if let Some(management) = &self.management {
            management.check(store, found);
        }
        if let Some(events) = &self.events {
            events.check(store, found);
        }
        WebhookSettings::check_all(&self.webhooks, self.events.as_ref(), found);
    }

    /// Finds what contradicts itself in the store.
    fn in_store(&self) -> Vec<Contradiction> {
        let mut found = Vec::new();
        if let Some(store) = self.store.as_ref().filter(|store| store.usage.is_some())
            && store.scheme() == "memory"
        {
            let path = |name: &str| Path::default().field("store").field(name);
            let problem = "a store in memory keeps no usage";
            let contradiction = Contradiction::new(path("usage"), &problem).beside(path("url"));
            found.push(contradiction.remedy("remove the table, or name a database in `url`"));
        }
        let Some((store, replica)) =
            self.store.as_ref().and_then(|store| Some((store, store.replica.as_ref()?)))
        else {
            return found;
        };
        if store.cache.is_some() {
            let path = |name: &str| Path::default().field("store").field(name);
            let problem = "`store.replica` and `store.cache` exclude each other";
            let contradiction = Contradiction::new(path("replica"), &problem);
            found.push(contradiction.beside(path("cache")).remedy("remove one of the two tables"));
        }
        #[cfg(feature = "replica")]
        found.extend(replica.check().err().map(|error| self.locate(&error)));
        #[cfg(not(feature = "replica"))]
        let _ = replica;
        found
    }

    /// Describes the profile for a while.
    pub(super) fn with_profile<R>(
        &self,
        build: impl FnOnce(Profile<'_>) -> Result<R, Contradiction>,
    ) -> Result<R, Contradiction> {
        let (room, path) = (Bump::new(), Path::default().field("profile"));
        let quotas = self.profile.quotas(&path)?;
        build(self.profile.describe(&quotas, &room, &path)?)
    }
}
