//! Limit headers with names of the vendor's own.

use std::cmp::Reverse;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::limit_text;
use super::name_pattern::NamePattern;
use super::number;
use super::reserved::{has_reserved, is_reserved_for_values};
use crate::clock::Timestamp;
use crate::error::ConfigError;
use crate::profile::{LimitField, LimitValue};
use crate::quota::{AppliedQuotas, Quota, QuotaStatus, Quotas, Verdict, window_at};
use crate::request::field_name;

/// The field that an error names.
const WHAT: &str = "the profile's field `limit_headers.fields`, the name";
/// What an error about the names of quotas names.
const OF_QUOTA: &str = "the profile's field `limit_headers.fields`, the header of a quota";

/// The limit headers of a profile that have names of their own, checked.
#[derive(Debug)]
pub(super) struct PreparedLimitFields(Vec<PreparedField>);

/// A header, which owns what [`LimitField`] borrows.
#[derive(Debug)]
struct PreparedField {
    name: NamePattern,
    /// The quota that the header describes. `None` for the nearest one, or for each.
    quota: Option<Box<str>>,
    /// The quotas that the header never describes.
    except: Box<[Box<str>]>,
    value: LimitValue,
    decimals: u8,
}

/// A quota of a request, with what is left of it.
type Stated<'a> = (&'a Quota, QuotaStatus);

impl PreparedLimitFields {
    /// Checks the headers. `dialect` has the names of the other limit headers.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Header`].
    pub(super) fn new(
        fields: &[LimitField<'_>],
        dialect: Vec<HeaderName>,
    ) -> Result<Self, ConfigError> {
        let mut taken: Vec<NamePattern> = dialect.into_iter().map(NamePattern::One).collect();
        let mut prepared = Self(Vec::new());
        for field in fields {
            let name = pattern(field)?;
            if has_reserved(&name) {
                return Err(refused(
                    field,
                    "HTTP, gRPC or the gate itself uses this header: choose another name",
                ));
            }
            if taken.iter().any(|other| other.overlaps(&name)) {
                let problem = "another limit header can have this name: choose another name";
                return Err(refused(field, problem));
            }
            let most = match field.value {
                LimitValue::ResetDuration => 3,
                LimitValue::ResetTimestamp => 0,
                _ => 9,
            };
            if field.decimals > most {
                let problem = "it has too many decimal places: set at most 9, 3 for `ResetDuration`, or none for `ResetTimestamp`";
                return Err(refused(field, problem));
            }
            taken.push(name.clone());
            prepared.0.push(PreparedField {
                name,
                quota: field.quota.map(Box::from),
                except: field.except.iter().copied().map(Box::from).collect(),
                value: field.value,
                decimals: field.decimals,
            });
        }
        Ok(prepared)
    }

    /// Refuses quotas of one request whose headers would have one name, or a reserved name.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Header`].
    pub(super) fn check_quotas(&self, quotas: AppliedQuotas<'_>) -> Result<(), ConfigError> {
        let each = self.0.iter().map(|field| &field.name);
        for name in each.filter(|name| matches!(name, NamePattern::Each { .. })) {
            for quota in enforced(quotas) {
                let Some(header) = name.of_quota(quota.name()) else { continue };
                let problem = if is_reserved_for_values(&header) {
                    "HTTP, gRPC or a cache uses this header: rename the quota"
                } else if !has_the_name(quota, quotas) {
                    "the names of two quotas differ only in case, and headers have no case: rename one of the two"
                } else {
                    continue;
                };
                let value = header.as_str().to_owned();
                return Err(ConfigError::Header { what: OF_QUOTA, value, problem });
            }
        }
        Ok(())
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns true if a header of this name may be written.
    pub(super) fn has(&self, name: &HeaderName) -> bool {
        self.0.iter().any(|field| field.name.covers(name.as_str()))
    }

    /// Writes the headers, and replaces those that the service has set.
    pub(super) fn write(
        &self,
        headers: &mut HeaderMap,
        quotas: AppliedQuotas<'_>,
        verdict: &Verdict,
        cost: u32,
        now: Timestamp,
    ) {
        let spoken_of = || verdict.spoken_of(quotas);
        // Quotas of an account and of a route may have the same name.
        let nearest = |field: &PreparedField, name: Option<&str>| -> Option<Stated<'_>> {
            let named =
                spoken_of().filter(|(quota, _)| name.is_none_or(|name| name == quota.name()));
            let named = named.filter(|(quota, _)| field.describes(quota));
            named.min_by_key(|(_, status)| (status.remaining(), Reverse(status.reset_after())))
        };
        for field in &self.0 {
            let mut insert = |name: HeaderName, stated: Option<Stated<'_>>| {
                if let Some(value) = stated.and_then(|stated| field.value(stated, cost, now)) {
                    headers.insert(name, value);
                }
            };
            if let NamePattern::One(name) = &field.name {
                insert(name.clone(), nearest(field, field.quota.as_deref()));
                continue;
            }
            for (quota, _) in spoken_of().filter(|(quota, _)| has_the_name(quota, quotas)) {
                // A quota's name may have characters that no header has.
                if let Some(name) = field.name.of_quota(quota.name())
                    && !is_reserved_for_values(&name)
                {
                    insert(name, nearest(field, Some(quota.name())));
                }
            }
        }
    }
}

impl PreparedField {
    /// Returns true if the header may describe the quota.
    fn describes(&self, quota: &Quota) -> bool {
        !self.except.iter().any(|name| **name == *quota.name())
    }

    fn value(&self, (quota, status): Stated<'_>, cost: u32, now: Timestamp) -> Option<HeaderValue> {
        let places = self.decimals;
        let count = |number: u32| {
            if places == 0 {
                Some(number::value(number.into()))
            } else {
                text(&limit_text::count(number.into(), places))
            }
        };
        let seconds = |duration: Duration| text(&limit_text::seconds(duration, places));
        match self.value {
            LimitValue::Limit => count(status.limit()),
            LimitValue::Remaining => count(status.remaining()),
            LimitValue::Used => count(status.limit().saturating_sub(status.remaining())),
            LimitValue::ResetSeconds => seconds(status.reset_after()),
            LimitValue::ResetUnixTime => {
                seconds(now.plus(status.reset_after()).since(Timestamp::default()))
            }
            LimitValue::ResetTimestamp => text(&whole(now.plus(status.reset_after())).to_string()),
            LimitValue::ResetDuration => text(&limit_text::duration(status.reset_after(), places)),
            LimitValue::Window => seconds(window_at(quota, now)),
            LimitValue::QuotaName => text(quota.name()),
            LimitValue::Cost => count(cost),
        }
    }
}

/// Rounds an instant up to whole seconds, so that no client comes back too early.
fn whole(instant: Timestamp) -> Timestamp {
    let seconds = instant.since(Timestamp::default()).as_nanos().div_ceil(1_000_000_000);
    Timestamp::from_unix_seconds(u64::try_from(seconds).unwrap_or(u64::MAX))
}

fn text(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(text).ok()
}

/// Returns the quotas that are not in shadow, whether a response speaks of them or not.
fn enforced(quotas: AppliedQuotas<'_>) -> impl Iterator<Item = &Quota> {
    quotas.iter().map(|(quota, _)| quota).filter(|quota| !quota.is_in_shadow())
}

/// Returns true if a header may have the name of this quota. Names of headers have no case, so of two quotas the
/// first one has the name, also in a response that does not speak of it.
fn has_the_name(quota: &Quota, quotas: AppliedQuotas<'_>) -> bool {
    let name = quota.name();
    let first = enforced(quotas).find(|other| other.name().eq_ignore_ascii_case(name));
    first.is_none_or(|first| first.name() == name)
}

/// Checks the name of a header, and which quota it describes.
fn pattern(field: &LimitField<'_>) -> Result<NamePattern, ConfigError> {
    let name = field_name(WHAT, &NamePattern::example(field.name))?;
    if let Some(each) = NamePattern::each(field.name) {
        if field.quota.is_some() {
            let problem =
                "the name is for each quota, and `of_quota` is for one: remove one of the two";
            return Err(refused(field, problem));
        }
        if matches!(&each, NamePattern::Each { before, .. } if !before.ends_with('-')) {
            let problem = "the part before `{quota}` must end in `-`: write `x-limit-{quota}`";
            return Err(refused(field, problem));
        }
        return Ok(each);
    }
    let quota = field.quota.map(|quota| Quota::named(quota, 1, Duration::from_secs(1)));
    if quota.is_some_and(|quota| Quotas::new([quota]).is_err()) {
        return Err(refused(
            field,
            "no quota can have the name in `of_quota`: write a quota's name",
        ));
    }
    Ok(NamePattern::One(name))
}

fn refused(field: &LimitField<'_>, problem: &'static str) -> ConfigError {
    ConfigError::Header { what: WHAT, value: field.name.to_ascii_lowercase(), problem }
}
