//! The headers that tell clients their limits, as they stand in a file.

use bumpalo::Bump;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::credential::{owned, texts};
use crate::config::names::names;
use crate::profile::{Dialect, LimitField, LimitHeaders, LimitValue, Reset};

/// The headers that tell clients their limits.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitHeadersTable {
    dialect: DialectName,
    /// Writes the limit. On by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    limit: Option<bool>,
    /// Writes what remains. On by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    remaining: Option<bool>,
    /// Writes when the window ends, in seconds by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reset: Option<ResetName>,
    /// Headers of the vendor's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) fields: Vec<LimitFieldTable>,
    /// The unit of quotas, for the structured dialect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    /// Writes a partition key, for the structured dialect.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    partition_keys: bool,
}

names! {
    /// The family of header names.
    enum DialectName of Dialect {
        None,
        /// `RateLimit-Limit`, `-Remaining`, `-Reset`
        RateLimit,
        /// `X-RateLimit-Limit`, `-Remaining`, `-Reset`
        XRateLimit,
        /// `RateLimit` and `RateLimit-Policy` of draft-ietf-httpapi-ratelimit-headers
        Structured,
    }
}

names! {
    /// How the end of a window is told.
    enum ResetName of Reset {
        Omitted,
        /// In seconds from now.
        Seconds,
        /// In seconds since 1970.
        UnixTime,
    }
}

/// A header of the vendor's own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitFieldTable {
    pub(super) name: String,
    value: LimitValueName,
    /// Writes of the quota with this name, not of the nearest one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quota: Option<String>,
    /// Never tells of the quotas of these names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    except: Vec<String>,
    /// The places after the decimal point.
    #[serde(default, skip_serializing_if = "is_zero")]
    decimals: u8,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // Serde calls it so.
const fn is_zero(places: &u8) -> bool {
    *places == 0
}

names! {
    /// What a header of the vendor's own tells.
    enum LimitValueName of LimitValue {
        Limit,
        Remaining,
        Used,
        ResetSeconds,
        ResetUnixTime,
        /// As `2027-01-15T08:00:00Z`.
        ResetTimestamp,
        /// As `6m0s`.
        ResetDuration,
        /// The window in seconds.
        Window,
        QuotaName,
        /// What the request costs.
        Cost,
    }
}

impl LimitHeadersTable {
    pub(super) fn describe<'a>(&'a self, room: &'a Bump) -> LimitHeaders<'a> {
        let dialect = self.dialect.describe();
        let writes = dialect != Dialect::None;
        let usual = if writes { Reset::Seconds } else { Reset::Omitted };
        let fields: Vec<_> = self.fields.iter().map(|field| field.describe(room)).collect();
        LimitHeaders {
            dialect,
            limit: self.limit.unwrap_or(writes),
            remaining: self.remaining.unwrap_or(writes),
            reset: self.reset.map_or(usual, ResetName::describe),
            fields: room.alloc_slice_fill_iter(fields),
            unit: self.unit.as_deref(),
            partition_keys: self.partition_keys,
        }
    }

    /// Writes what differs from the defaults of the dialect.
    pub(super) fn of(headers: &LimitHeaders<'_>) -> Self {
        let writes = headers.dialect != Dialect::None;
        let usual = if writes { Reset::Seconds } else { Reset::Omitted };
        Self {
            dialect: DialectName::of(headers.dialect),
            limit: (headers.limit != writes).then_some(headers.limit),
            remaining: (headers.remaining != writes).then_some(headers.remaining),
            reset: (headers.reset != usual).then(|| ResetName::of(headers.reset)),
            fields: headers.fields.iter().map(LimitFieldTable::of).collect(),
            unit: headers.unit.map(str::to_owned),
            partition_keys: headers.partition_keys,
        }
    }
}

impl LimitFieldTable {
    fn describe<'a>(&'a self, room: &'a Bump) -> LimitField<'a> {
        let value = self.value.describe();
        let field = LimitField::new(&self.name, value)
            .decimals(self.decimals)
            .except(texts(&self.except, room));
        self.quota.as_deref().map_or(field, |quota| field.of_quota(quota))
    }

    fn of(field: &LimitField<'_>) -> Self {
        Self {
            name: field.name.to_owned(),
            value: LimitValueName::of(field.value),
            quota: field.quota.map(str::to_owned),
            except: owned(field.except),
            decimals: field.decimals,
        }
    }
}
