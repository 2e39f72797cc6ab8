//! Limits as structured fields (draft-ietf-httpapi-ratelimit-headers-11).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::caller::Caller;
use crate::clock::Timestamp;
use crate::error::ConfigError;
use crate::key::is_scope_token;
use crate::profile::{Dialect, LimitHeaders};
use crate::quota::{AppliedQuotas, Per, Quota, QuotaStatus, Verdict, whole_seconds, window_at};

pub(super) const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
pub(super) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// The fields that errors name.
const UNIT: &str = "the profile's field `limit_headers.unit`";
const PARTITION: &str = "the profile's field `limit_headers.partition_keys`";

/// The parameters that are the same in every item.
#[derive(Debug)]
pub(super) struct StructuredLimits {
    /// The parameter `qu` as it is written; empty without a unit.
    unit: Box<str>,
    partition_keys: bool,
}

impl StructuredLimits {
    /// Checks the parameters.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Header`] for a unit that no structured string holds without escapes, and for parameters in
    /// another dialect.
    pub(super) fn new(headers: &LimitHeaders<'_>) -> Result<Self, ConfigError> {
        let refused = |what, value: &str, problem| {
            Err(ConfigError::Header { what, value: value.to_owned(), problem })
        };
        let elsewhere =
            "only structured fields have it: set the dialect `Structured`, or leave it out";
        let is_structured = headers.dialect == Dialect::Structured;
        match headers.unit {
            Some(unit) if !is_structured => return refused(UNIT, unit, elsewhere),
            Some(unit) if !is_scope_token(unit) => {
                let problem = "it is no unit: write visible ASCII without `\"` and `\\`";
                return refused(UNIT, unit, problem);
            }
            _ if headers.partition_keys && !is_structured => {
                return refused(PARTITION, "true", elsewhere);
            }
            _ => {}
        }
        let unit = headers.unit.map(|unit| format!(r#";qu="{unit}""#)).unwrap_or_default();
        Ok(Self { unit: unit.into(), partition_keys: headers.partition_keys })
    }

    /// Writes the lists of all quotas. Quota names are visible ASCII without quotes and backslashes, so they
    /// need no escapes (RFC 9651 §4.1.6).
    pub(super) fn write(
        &self,
        headers: &mut HeaderMap,
        quotas: AppliedQuotas<'_>,
        verdict: &Verdict,
        caller: Caller<'_>,
        now: Timestamp,
    ) {
        let pairs: Vec<(&Quota, QuotaStatus)> = verdict.spoken_of(quotas).collect();
        let mut insert = |name, items: Vec<String>| {
            // The names were checked when the quotas were made, so every list fits into a header.
            if let Ok(value) = HeaderValue::from_str(&items.join(", "))
                && !value.is_empty()
            {
                headers.insert(name, value);
            }
        };
        let policy = pairs.iter().map(|(quota, status)| {
            let seconds = whole_seconds(window_at(quota, now));
            // The limit that was enforced, which may be a node's share.
            let (name, limit) = (quota.name(), status.limit());
            let (unit, key) = (&self.unit, self.partition_key(quota, caller));
            format!(r#""{name}";q={limit}{unit};w={seconds}{key}"#)
        });
        insert(POLICY, policy.collect());
        let status = pairs.iter().map(|(quota, status)| {
            let more = status.more_after(quota);
            // More of the quota is available by `Retry-After`, so `t` is no later (draft-11 §6).
            let back = verdict.retry_after().filter(|_| status.remaining() == 0);
            let seconds = whole_seconds(back.map_or(more, |wait| more.min(wait)));
            let (name, key) = (quota.name(), self.partition_key(quota, caller));
            format!(r#""{name}";r={};t={seconds}{key}"#, status.remaining())
        });
        insert(RATE_LIMIT, status.collect());
    }

    /// Returns the parameter `pk` as it is written: the id of the account or the key as a byte sequence
    /// (RFC 9651 §4.1.8). An address is not written.
    fn partition_key(&self, quota: &Quota, caller: Caller<'_>) -> String {
        let Some(record) = caller.record().filter(|_| self.partition_keys) else {
            return String::new();
        };
        let id = match quota.per() {
            Per::Account => record.account().id().as_str(),
            Per::Key => record.id().as_str(),
        };
        // Four characters for three bytes of a name, which has at most 255.
        let mut buffer = [0; 340];
        let length = STANDARD.encode_slice(id, &mut buffer).unwrap_or(0);
        let encoded = buffer.get(..length).and_then(|text| std::str::from_utf8(text).ok());
        encoded.map_or_else(String::new, |text| format!(";pk=:{text}:"))
    }
}
