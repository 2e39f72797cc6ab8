//! The telemetry of a gate, as it stands in a file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::read::{Contradiction, Path};
use crate::service::ApiKeyLayerBuilder;

/// The table `[telemetry]`: what a gate logs and counts. `docs/telemetry.md` lists all of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TelemetrySettings {
    /// Logs each request and each failure by `tracing`: refused requests at INFO, failures at WARN, all others at DEBUG.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub log: bool,
    /// Counts requests, refusals, waits and failures by the `metrics` facade. The program must install a recorder.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub metrics: bool,
}

impl TelemetrySettings {
    /// Adds the observers to a builder. Adds a field that the program is not built for to `found`.
    #[cfg_attr(
        all(feature = "metrics", feature = "tracing"),
        allow(unused_variables, clippy::ptr_arg)
    )]
    #[cfg_attr(not(any(feature = "metrics", feature = "tracing")), allow(unused_mut))]
    pub(super) fn apply(
        self,
        mut builder: ApiKeyLayerBuilder,
        path: &Path,
        found: &mut Vec<Contradiction>,
    ) -> ApiKeyLayerBuilder {
        if self.log {
            #[cfg(feature = "tracing")]
            {
                builder = builder.observer(crate::telemetry::TracingObserver::new());
            }
            #[cfg(not(feature = "tracing"))]
            found.push(not_built(path.field("log"), "tracing"));
        }
        if self.metrics {
            #[cfg(feature = "metrics")]
            {
                builder = builder.observer(crate::telemetry::MetricsObserver::new());
            }
            #[cfg(not(feature = "metrics"))]
            found.push(not_built(path.field("metrics"), "metrics"));
        }
        builder
    }
}

#[cfg(not(all(feature = "metrics", feature = "tracing")))]
fn not_built(path: Path, feature: &str) -> Contradiction {
    let problem = format!(
        "this program is built without the feature `{feature}` of `tower-api-key`: remove this field, or build the \
         program with that feature"
    );
    Contradiction::new(path, &problem)
}
