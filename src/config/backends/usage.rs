//! Usage, as it stands in a file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::duration::LengthOfTime;
#[cfg(feature = "usage")]
use crate::usage::UsageRecorder;

/// The table `[store.usage]`: requests are counted by key, route pattern, decision and hour, in the database of the keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UsageSettings {
    /// The time between two writes, which a crash may lose: 5 seconds unless set, and at least 100 ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_every: Option<LengthOfTime>,
    /// The most counts in memory: 65,536 unless set. Further requests are counted without their key and route.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_cells: Option<usize>,
}

#[cfg(feature = "usage")]
impl UsageSettings {
    /// Returns a recorder with these settings.
    pub fn recorder(&self) -> UsageRecorder {
        let mut builder = UsageRecorder::builder();
        if let Some(every) = self.write_every {
            builder = builder.write_every(every.duration());
        }
        if let Some(cells) = self.max_cells {
            builder = builder.max_cells(cells);
        }
        builder.build()
    }
}
