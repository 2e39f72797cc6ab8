//! Quotas of requests without a key, as they stand in a file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::prefixes::PrefixesTable;
use crate::config::quota::{QuotaTable, describe_all};
use crate::config::read::{Contradiction, Path};
use crate::limits::AnonymousQuotas;

/// Quotas of requests without a key, by the client's network. They need `optional` and a limiter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct AnonymousQuotasTable {
    /// At most four quotas. Without this field the routes have their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) quotas: Vec<QuotaTable>,
    /// The lengths of networks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) prefixes: Option<PrefixesTable>,
}

impl AnonymousQuotasTable {
    pub(super) fn describe(&self, path: &Path) -> Result<AnonymousQuotas, Contradiction> {
        let quotas = AnonymousQuotas::new(describe_all(&self.quotas, &path.field("quotas"))?);
        Ok(match self.prefixes {
            Some(PrefixesTable { ipv4, ipv6 }) => quotas.prefixes(ipv4, ipv6),
            None => quotas,
        })
    }
}
