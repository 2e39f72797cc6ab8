//! The store and the limiter of a front door, and whether the next file has the same.

use std::sync::Arc;

use tower_api_key::config::{Backends, FrontDoor, LimiterSettings, StoreSettings};
use tower_api_key::limits::{Limiter, LimiterError};
use tower_api_key::store::{KeyStore, Rehasher};

use crate::error::OpenError;
use crate::limiter::{self, Limiters};
use crate::store;

/// A store and a limiter that are open, and the tables that they were opened from.
#[derive(Clone)]
pub(crate) struct Opened {
    store: (StoreSettings, Arc<dyn KeyStore>, Rehasher),
    limiter: Option<(LimiterSettings, Limiters)>,
}

impl Opened {
    /// Opens what a front door names. Takes over from `before` what is still the same.
    pub(crate) async fn of(
        door: &FrontDoor,
        before: Option<&Self>,
        file: &str,
    ) -> Result<Self, OpenError> {
        let settings = door.store().ok_or_else(|| OpenError::NoStore { file: file.to_owned() })?;
        let store = match before.filter(|before| before.store.0 == *settings) {
            Some(before) => before.store.clone(),
            None => {
                let rehasher = Rehasher::new();
                (settings.clone(), store::open(settings, file, &rehasher).await?, rehasher)
            }
        };
        let limiter = match (door.limiter(), before.and_then(|before| before.limiter.as_ref())) {
            (None, _) => None,
            (Some(settings), Some((old, limiters))) if old.is_same_place(settings) => {
                Some((settings.clone(), limiters.clone()))
            }
            (Some(settings), _) => Some((settings.clone(), limiter::open(settings, file).await?)),
        };
        Ok(Self { store, limiter })
    }

    pub(crate) fn store(&self) -> &Arc<dyn KeyStore> {
        &self.store.1
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

    pub(crate) fn backends(&self) -> Backends {
        let backends = Backends::new(Arc::clone(&self.store.1)).rehasher(&self.store.2);
        let Some((_, (limiter, concurrency))) = &self.limiter else { return backends };
        let backends = backends.limiter(Arc::clone(limiter));
        match concurrency {
            Some(concurrency) => backends.concurrency(Arc::clone(concurrency)),
            None => backends,
        }
    }
}
