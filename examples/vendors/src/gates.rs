//! Builds the gates of all vendors, with their limiter.

use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use tower_api_key::key::InvalidRecord;
use tower_api_key::limits::{MemoryLimiter, Plans};
use tower_api_key::quota::{OnLimiterFailure, Quota, Share};
use tower_api_key::request::TrustedProxies;
use tower_api_key::rules::{RouteRow, Routes};
use tower_api_key::usage::UsageRecorder;
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, ConfigError, Profile};
use tower_api_key_redis::{Lease, RedisLimiter, RedisMetrics};

use crate::database::VendorStore;
use crate::telemetry::observed;

/// The limiter that counts requests.
#[derive(Debug, Clone)]
pub(crate) enum Limits {
    /// Counts in this process.
    Memory,
    /// Counts in Redis, for all processes that use the same server.
    Redis { url: String, lease: Option<Lease> },
}

impl FromStr for Limits {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "memory" {
            return Ok(Self::Memory);
        }
        let (url, query) =
            text.split_once('?').map_or((text, None), |(url, query)| (url, Some(query)));
        if !url.starts_with("redis://") {
            return Err("write memory or redis://HOST".to_owned());
        }
        let tokens = |query: &str| query.strip_prefix("lease=")?.parse::<NonZeroU32>().ok();
        let lease = match query.map(tokens) {
            None => None,
            Some(Some(tokens)) => Some(Lease::new().at_most(tokens)),
            Some(None) => {
                return Err(
                    "write lease=TOKENS after the question mark, with TOKENS 1 or more".to_owned()
                );
            }
        };
        Ok(Self::Redis { url: url.to_owned(), lease })
    }
}

/// What happens to a request while the limiter fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnFailure {
    /// Refuse requests with 503
    Deny,
    /// Admit requests without counting them
    Allow,
    /// Count requests in this process, against its share of the limit
    Local,
}

impl OnFailure {
    /// Returns the choice for one of this number of nodes.
    pub(crate) const fn of(self, nodes: NonZeroU32) -> OnLimiterFailure {
        match self {
            Self::Deny => OnLimiterFailure::Deny,
            Self::Allow => OnLimiterFailure::Allow,
            Self::Local => OnLimiterFailure::Local(Share::of(nodes)),
        }
    }
}

/// Returns two plans.
pub(crate) fn plans() -> Result<Plans, InvalidRecord> {
    let minute = |limit| Quota::new("minute", limit, Duration::from_secs(60));
    let plans = Plans::new();
    plans.set("free", [minute(60), Quota::by_month("month", 10_000)])?;
    plans.set("pro", [minute(600), Quota::by_month("month", 1_000_000)])?;
    Ok(plans)
}

/// The settings that all gates share.
pub(crate) struct Gates {
    pub(crate) proxies: TrustedProxies,
    pub(crate) limits: Limits,
    /// Counts for all vendors if the limits are in memory, so that the management API and the console can read it.
    pub(crate) memory: Arc<MemoryLimiter>,
    /// The plans that the staff can put accounts on.
    pub(crate) plans: Plans,
    pub(crate) on_failure: OnLimiterFailure,
    /// Counts requests, if the store is a database.
    pub(crate) usage: Option<UsageRecorder>,
}

impl Gates {
    /// Builds the gate of a vendor.
    pub(crate) fn of(
        &self,
        profile: &Profile,
        routes: &[RouteRow],
        store: &VendorStore,
    ) -> Result<ApiKeyLayer, ConfigError> {
        self.builder(profile, routes, store)?.build()
    }

    /// Returns the builder of a vendor's gate.
    pub(crate) fn builder(
        &self,
        profile: &Profile,
        routes: &[RouteRow],
        store: &VendorStore,
    ) -> Result<ApiKeyLayerBuilder, ConfigError> {
        let gate = ApiKeyLayer::builder(*profile, store.clone())
            .routes(Routes::new().rows(routes))
            .trusted_proxies(self.proxies.clone())
            .plans(self.plans.clone());
        let gate = observed(gate);
        let gate = match &self.usage {
            Some(usage) => gate.observer(usage.clone()),
            None => gate,
        };
        Ok(match &self.limits {
            Limits::Memory => gate.limits(Arc::clone(&self.memory), self.on_failure),
            Limits::Redis { url, lease } => {
                // Accounts of two vendors may have the same id.
                let prefix = format!("tower-api-key:{}:", store.vendor());
                // A demo shares its machine with other work. A service keeps the default.
                let patience = Duration::from_secs(1);
                let limiter = RedisLimiter::builder(url).prefix(prefix).timeout(patience);
                let mut limiter = limiter.observer(RedisMetrics::new());
                if let Some(lease) = lease {
                    limiter = limiter.lease(*lease);
                }
                let limiter = limiter.build()?;
                gate.concurrency(limiter.concurrency(), self.on_failure)
                    .limits(limiter, self.on_failure)
            }
        })
    }
}
