//! Opens the limiter that a file names.

use std::sync::Arc;

use tower_api_key::concurrency::ConcurrencyLimiter;
use tower_api_key::config::{LimiterSettings, SectionMistake, TelemetrySettings};
use tower_api_key::limits::{Limiter, MemoryLimiter};

use crate::error::{OpenError, unknown_scheme};

/// A limiter of requests, and one of simultaneous requests where the first is shared by processes.
pub(crate) type Limiters = (Arc<dyn Limiter>, Option<Arc<dyn ConcurrencyLimiter>>);

/// Opens a limiter.
#[cfg_attr(not(feature = "redis"), allow(clippy::unused_async, unused_variables))]
pub(crate) async fn open(
    settings: &LimiterSettings,
    telemetry: TelemetrySettings,
    file: &str,
) -> Result<Limiters, OpenError> {
    match settings.scheme() {
        "memory" => Ok((Arc::new(MemoryLimiter::new()), None)),
        #[cfg(feature = "redis")]
        "redis" | "rediss" | "valkey" | "valkeys" | "unix" | "redis+unix" | "valkey+unix" => {
            open_redis(settings, telemetry, file).await
        }
        _ => {
            let problem = unknown_scheme(settings.url.expose(), &known());
            Err(OpenError::Url { file: file.to_owned(), field: "limiter.url", problem })
        }
    }
}

/// Finds what [`open`] would refuse in the settings themselves, and opens nothing.
pub(crate) fn mistake(settings: &LimiterSettings) -> Option<SectionMistake> {
    match settings.scheme() {
        "memory" => None,
        #[cfg(feature = "redis")]
        "redis" | "rediss" | "valkey" | "valkeys" | "unix" | "redis+unix" | "valkey+unix" => {
            let checked = crate::redis_servers::without_files(settings);
            let checked = checked.and_then(|builder| described(builder, settings).build());
            checked.err().map(|error| SectionMistake::new("limiter", error.to_string()))
        }
        _ => {
            let problem = unknown_scheme(settings.url.expose(), &known());
            Some(SectionMistake::new("limiter.url", problem))
        }
    }
}

fn known() -> Vec<&'static str> {
    cfg!(feature = "redis").then_some("redis://…").into_iter().chain(["memory:"]).collect()
}

/// How long an opening waits for the answer of a server.
#[cfg(feature = "redis")]
const CHECK_WITHIN: std::time::Duration = std::time::Duration::from_secs(2);

#[cfg(feature = "redis")]
#[cfg_attr(not(feature = "metrics"), allow(unused_variables))]
async fn open_redis(
    settings: &LimiterSettings,
    telemetry: TelemetrySettings,
    file: &str,
) -> Result<Limiters, OpenError> {
    let invalid = |source| OpenError::Limiter { file: file.to_owned(), source };
    let builder = crate::redis_servers::builder(settings, file).map_err(invalid)?;
    #[allow(unused_mut)] // Without the feature, no observer is added.
    let mut builder = described(builder, settings);
    #[cfg(feature = "metrics")]
    if telemetry.metrics {
        builder = builder.observer(tower_api_key_redis::RedisMetrics::new());
    }
    let limiter = builder.build().map_err(invalid)?;
    // A server that is down, or hangs, keeps no front door closed.
    let checked = tokio::time::timeout(CHECK_WITHIN, limiter.check_configuration()).await;
    checked.unwrap_or(Ok(())).map_err(invalid)?;
    let concurrency: Arc<dyn ConcurrencyLimiter> = Arc::new(limiter.concurrency());
    Ok((Arc::new(limiter), Some(concurrency)))
}

/// Adds the settings that are not about servers.
#[cfg(feature = "redis")]
fn described(
    mut builder: tower_api_key_redis::RedisLimiterBuilder,
    settings: &LimiterSettings,
) -> tower_api_key_redis::RedisLimiterBuilder {
    use tower_api_key_redis::Lease;

    if let Some(prefix) = &settings.prefix {
        builder = builder.prefix(prefix);
    }
    if let Some(timeout) = settings.timeout {
        builder = builder.timeout(timeout.duration());
    }
    if let Some(patience) = settings.patience {
        builder = builder.patience(patience);
    }
    if let Some(lease) = settings.permit_lease {
        builder = builder.permit_lease(lease.duration());
    }
    if let Some(settings) = &settings.lease {
        let mut lease = Lease::new();
        if let Some(tokens) = settings.at_most {
            lease = lease.at_most(tokens);
        }
        if let Some(time) = settings.lasting {
            lease = lease.lasting(time.duration());
        }
        if let Some(accounts) = settings.accounts {
            lease = lease.accounts(accounts);
        }
        builder = builder.lease(lease);
    }
    builder
}
