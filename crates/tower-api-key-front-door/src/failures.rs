//! What is logged whatever a file says: an answer 503 is never silent.

use tower_api_key::ApiKeyLayerBuilder;
use tower_api_key::config::{FrontDoor, TelemetrySettings};

/// Lets a gate log why its store or its limiter cannot answer. `telemetry.log` logs that with all else.
#[cfg_attr(not(feature = "tracing"), allow(unused_variables))]
pub(crate) fn log(builder: ApiKeyLayerBuilder, telemetry: TelemetrySettings) -> ApiKeyLayerBuilder {
    #[cfg(feature = "tracing")]
    if !telemetry.log {
        return builder.observer(tower_api_key::telemetry::FailureLog::new());
    }
    builder
}

/// Warns of quotas that management can set and nothing counts. A gate refuses what it cannot count.
#[cfg_attr(not(feature = "tracing"), allow(unused_variables))]
pub(crate) fn warn(door: &FrontDoor) {
    #[cfg(feature = "tracing")]
    if door.management().is_some() && door.limiter().is_none() {
        tracing::warn!(
            "management can give quotas to keys and accounts, and the file has no `[limiter]` that counts them: the gate \
             will refuse their requests with 503. Add `[limiter]` with `url = \"memory:\"`"
        );
    }
}
