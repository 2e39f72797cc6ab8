//! The store, the limiter and the events of a front door, and whether the next file has the same.

use std::sync::Arc;

use tower_api_key::ApiKeyLayerBuilder;
use tower_api_key::config::{
    Backends, FrontDoor, LimiterSettings, StoreSettings, TelemetrySettings,
};
use tower_api_key::limits::{Limiter, LimiterError};
use tower_api_key::store::{KeyManager, KeyStore, Rehasher, StoreError};

use crate::error::OpenError;
use crate::limiter::{self, Limiters};
use crate::store::{self, OpenStore};

/// A store and a limiter that are open, and the tables that they were opened from.
#[derive(Clone)]
pub(crate) struct Opened {
    store: (StoreSettings, OpenStore, Rehasher),
    limiter: Option<(LimiterSettings, Limiters)>,
    telemetry: TelemetrySettings,
    #[cfg(all(feature = "events", any(feature = "sqlite", feature = "postgres")))]
    events: Option<Arc<crate::events::RunningEvents>>,
    #[cfg(all(feature = "management", any(feature = "sqlite", feature = "postgres")))]
    policies: Option<Arc<crate::policies::RunningPolicies>>,
}

impl Opened {
    /// Opens what a front door names. Takes over from `before` what is still the same.
    pub(crate) async fn of(
        door: &FrontDoor,
        before: Option<&Self>,
        file: &str,
    ) -> Result<Self, OpenError> {
        crate::built::check(door, file)?;
        let settings = door.store().ok_or_else(|| OpenError::NoStore { file: file.to_owned() })?;
        let of_store = before.filter(|before| before.store.0 == *settings);
        let store = if let Some(before) = of_store {
            before.store.clone()
        } else {
            let rehasher = Rehasher::new();
            let opened = store::open(settings, door.telemetry(), file, &rehasher).await?;
            (settings.clone(), opened, rehasher)
        };
        let limiter = match (door.limiter(), before.and_then(|before| before.limiter.as_ref())) {
            (None, _) => None,
            (Some(settings), Some((old, limiters))) if old.is_same_place(settings) => {
                Some((settings.clone(), limiters.clone()))
            }
            (Some(settings), _) => {
                Some((settings.clone(), limiter::open(settings, door.telemetry(), file).await?))
            }
        };
        #[cfg(all(feature = "events", any(feature = "sqlite", feature = "postgres")))]
        let events = crate::events::RunningEvents::of(
            door,
            store.1.database.as_ref(),
            of_store.and_then(|before| before.events.as_ref()),
            file,
        )?;
        #[cfg(all(feature = "management", any(feature = "sqlite", feature = "postgres")))]
        let policies = match (door.management(), store.1.database.as_ref()) {
            (Some(_), Some(database)) => {
                let before = of_store.and_then(|before| before.policies.clone());
                let new = || crate::policies::RunningPolicies::of(database, file).map(Arc::new);
                Some(before.map_or_else(new, Ok)?)
            }
            _ => None,
        };
        Ok(Self {
            store,
            limiter,
            telemetry: door.telemetry(),
            #[cfg(all(feature = "management", any(feature = "sqlite", feature = "postgres")))]
            policies,
            #[cfg(all(feature = "events", any(feature = "sqlite", feature = "postgres")))]
            events,
        })
    }

    /// Returns the keys, to find and to change them.
    pub(crate) fn keys(&self) -> &Arc<dyn KeyManager> {
        &self.store.1.keys
    }

    /// Lets the layer count its requests and record their events, if the file asks for it, and log failures.
    pub(crate) fn observe(&self, builder: ApiKeyLayerBuilder) -> ApiKeyLayerBuilder {
        let builder = crate::failures::log(builder, self.telemetry);
        let builder = match &self.store.1.usage {
            Some(usage) => builder.observer(usage.clone()),
            None => builder,
        };
        #[cfg(all(feature = "events", any(feature = "sqlite", feature = "postgres")))]
        if let Some(events) = &self.events {
            return builder.observer(events.recorder());
        }
        builder
    }

    /// Writes the usage that waits in memory.
    pub(crate) async fn flush_usage(&self) -> Result<(), StoreError> {
        match &self.store.1.usage {
            Some(usage) => usage.flush().await,
            None => Ok(()),
        }
    }

    /// Gives back what the limiter has taken in advance.
    pub(crate) async fn give_back_all(&self) -> Result<(), LimiterError> {
        match &self.limiter {
            Some((_, (limiter, _))) => limiter.give_back_all().await,
            None => Ok(()),
        }
    }

    /// Returns true if both count by the same limiter.
    pub(crate) fn has_limiter_of(&self, other: &Self) -> bool {
        let limiter = |opened: &Self| opened.limiter.as_ref().map(|(_, all)| Arc::clone(&all.0));
        match (limiter(self), limiter(other)) {
            (Some(own), Some(other)) => Arc::ptr_eq(&own, &other),
            (own, other) => own.is_none() && other.is_none(),
        }
    }

    /// Begins what runs beside the requests, unless it runs: writing of newer digests, sweeps and deliveries.
    pub(crate) fn start(&self) {
        self.store.1.start();
        #[cfg(all(feature = "events", any(feature = "sqlite", feature = "postgres")))]
        if let Some(events) = &self.events {
            events.start();
        }
        #[cfg(all(feature = "management", any(feature = "sqlite", feature = "postgres")))]
        if let Some(policies) = &self.policies {
            policies.start();
        }
    }

    /// Ends sweeps and deliveries, and gives up their leases.
    pub(crate) async fn end(&self) {
        self.end_before(None).await;
    }

    /// Ends the sweeps and deliveries that the next file does not have.
    #[cfg_attr(
        not(all(
            any(feature = "events", feature = "management"),
            any(feature = "sqlite", feature = "postgres")
        )),
        allow(clippy::unused_async, clippy::unused_self, unused_variables)
    )]
    async fn end_before(&self, next: Option<&Self>) {
        #[cfg(all(feature = "events", any(feature = "sqlite", feature = "postgres")))]
        if let Some(events) = &self.events
            && !next.is_some_and(|next| is_same(events, next.events.as_ref()))
        {
            events.end().await;
        }
        #[cfg(all(feature = "management", any(feature = "sqlite", feature = "postgres")))]
        if let Some(policies) = &self.policies
            && !next.is_some_and(|next| is_same(policies, next.policies.as_ref()))
        {
            policies.end().await;
        }
    }

    /// Takes the place of `before`: ends what is not the same, and then begins if the program has started.
    pub(crate) async fn follow(&self, before: &Self, is_started: bool) {
        before.end_before(Some(self)).await;
        if is_started {
            self.start();
        }
        if !before.has_limiter_of(self) {
            // What a limiter does not take back is lost until its windows end, and no reason to serve by the old file.
            let _ = before.give_back_all().await;
        }
    }

    /// Writes the events of requests that wait in memory.
    #[cfg_attr(
        not(all(feature = "events", any(feature = "sqlite", feature = "postgres"))),
        allow(clippy::unused_async, clippy::unused_self)
    )]
    pub(crate) async fn flush_events(&self) {
        #[cfg(all(feature = "events", any(feature = "sqlite", feature = "postgres")))]
        if let Some(events) = &self.events {
            events.recorder().flush().await;
        }
    }

    /// Returns the limiter, to read what it has counted.
    #[cfg(feature = "management")]
    pub(crate) fn limiter(&self) -> Option<Arc<dyn Limiter>> {
        self.limiter.as_ref().map(|(_, (limiter, _))| Arc::clone(limiter))
    }

    /// Returns the database that has the usage of keys, if the file lets it be counted.
    #[cfg(all(feature = "management", any(feature = "sqlite", feature = "postgres")))]
    pub(crate) fn usage_database(&self) -> Option<tower_api_key_sqlx::SqlStore> {
        self.store.1.usage.as_ref().and(self.store.1.database.clone())
    }

    pub(crate) fn backends(&self) -> Backends {
        let store: Arc<dyn KeyManager> = Arc::clone(&self.store.1.keys);
        let backends = Backends::new(store as Arc<dyn KeyStore>).rehasher(&self.store.2);
        let Some((_, (limiter, concurrency))) = &self.limiter else { return backends };
        let backends = backends.limiter(Arc::clone(limiter));
        match concurrency {
            Some(concurrency) => backends.concurrency(Arc::clone(concurrency)),
            None => backends,
        }
    }
}

/// Returns true if the next file goes on with the same.
#[cfg(all(
    any(feature = "events", feature = "management"),
    any(feature = "sqlite", feature = "postgres")
))]
fn is_same<T>(running: &Arc<T>, next: Option<&Arc<T>>) -> bool {
    next.is_some_and(|next| Arc::ptr_eq(running, next))
}
