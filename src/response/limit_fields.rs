//! Limit headers with names of the vendor's own.

use std::cmp::Reverse;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::limit_text;
use super::number;
use super::reserved::is_reserved;
use crate::clock::Timestamp;
use crate::error::ConfigError;
use crate::profile::{LimitField, LimitValue};
use crate::quota::{AppliedQuotas, Quota, QuotaStatus, Quotas, Verdict, window_at};
use crate::request::field_name;

/// The field that an error names.
const WHAT: &str = "the profile's field `limit_headers.fields`, the name";
/// What a name has in place of the name of a quota.
const PLACE: &str = "{quota}";

/// The limit headers of a profile that have names of their own, checked.
#[derive(Debug)]
pub(super) struct PreparedLimitFields(Vec<PreparedField>);

/// A header, which owns what [`LimitField`] borrows.
#[derive(Debug)]
struct PreparedField {
    described: Described,
    value: LimitValue,
    decimals: u8,
}

/// The quota that a header describes, and the name of the header.
#[derive(Debug)]
enum Described {
    Nearest(HeaderName),
    Named(HeaderName, Box<str>),
    /// Each quota, between two parts of the header's name.
    Each(Box<str>, Box<str>),
}

/// A quota of a request, with what is left of it.
type Stated<'a> = (&'a Quota, QuotaStatus);

impl PreparedLimitFields {
    /// Checks the headers. `is_taken` returns true for a name that other limit headers have.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Header`].
    pub(super) fn new(
        fields: &[LimitField<'_>],
        is_taken: impl Fn(&HeaderName) -> bool,
    ) -> Result<Self, ConfigError> {
        let mut prepared = Self(Vec::new());
        for field in fields {
            let described = describe(field)?;
            // A quota's name stands for the place that it has in a name.
            let shown = field_name(WHAT, &field.name.replacen(PLACE, "quota", 1))?;
            if is_reserved(&shown) {
                return Err(refused(
                    field,
                    "HTTP or the gate itself uses this header: choose another name",
                ));
            }
            if is_taken(&shown) || prepared.has(&shown) {
                return Err(refused(field, "the name is written twice: keep one of the two"));
            }
            let most = if field.value == LimitValue::ResetDuration { 3 } else { 9 };
            if field.decimals > most {
                let problem =
                    "it has too many decimal places: set at most 9, or 3 for `ResetDuration`";
                return Err(refused(field, problem));
            }
            prepared.0.push(PreparedField {
                described,
                value: field.value,
                decimals: field.decimals,
            });
        }
        Ok(prepared)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns true if a header of this name may be written.
    pub(super) fn has(&self, name: &HeaderName) -> bool {
        let is_between = |before: &str, after: &str| {
            let rest = name.as_str().strip_prefix(before);
            rest.and_then(|rest| rest.strip_suffix(after)).is_some_and(|quota| !quota.is_empty())
        };
        self.0.iter().any(|field| match &field.described {
            Described::Nearest(own) | Described::Named(own, _) => own == name,
            Described::Each(before, after) => is_between(before, after),
        })
    }

    /// Writes the headers, and replaces those that the service has set.
    pub(super) fn write(
        &self,
        headers: &mut HeaderMap,
        quotas: AppliedQuotas<'_>,
        verdict: &Verdict,
        now: Timestamp,
    ) {
        let spoken_of = || {
            let all = quotas.iter().map(|(quota, _)| quota).zip(verdict.statuses().iter().copied());
            let known = all.enumerate().filter(|(index, _)| verdict.speaks_of(*index));
            known.map(|(_, stated)| stated)
        };
        // Quotas of an account and of a route may have the same name.
        let nearest = |name: Option<&str>| -> Option<Stated<'_>> {
            let named =
                spoken_of().filter(|(quota, _)| name.is_none_or(|name| name == quota.name()));
            named.min_by_key(|(_, status)| (status.remaining(), Reverse(status.reset_after())))
        };
        for field in &self.0 {
            match &field.described {
                Described::Nearest(name) => field.insert(headers, name.clone(), nearest(None), now),
                Described::Named(name, quota) => {
                    field.insert(headers, name.clone(), nearest(Some(quota)), now);
                }
                Described::Each(before, after) => {
                    for (quota, _) in spoken_of() {
                        let quota = quota.name();
                        let name = format!("{before}{quota}{after}");
                        // A quota's name may have characters that no header has.
                        if let Ok(name) = HeaderName::from_bytes(name.as_bytes())
                            && !is_reserved(&name)
                        {
                            field.insert(headers, name, nearest(Some(quota)), now);
                        }
                    }
                }
            }
        }
    }
}

impl PreparedField {
    fn insert(
        &self,
        headers: &mut HeaderMap,
        name: HeaderName,
        stated: Option<Stated<'_>>,
        now: Timestamp,
    ) {
        if let Some(value) = stated.and_then(|stated| self.value(stated, now)) {
            headers.insert(name, value);
        }
    }

    fn value(&self, (quota, status): Stated<'_>, now: Timestamp) -> Option<HeaderValue> {
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
            LimitValue::ResetDuration => text(&limit_text::duration(status.reset_after(), places)),
            LimitValue::Window => seconds(window_at(quota, now)),
            LimitValue::QuotaName => text(quota.name()),
        }
    }
}

fn text(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(text).ok()
}

/// Checks which quota a header describes.
fn describe(field: &LimitField<'_>) -> Result<Described, ConfigError> {
    if let Some((before, after)) = field.name.split_once(PLACE) {
        if field.quota.is_some() {
            let problem =
                "the name is for each quota, and `of_quota` is for one: remove one of the two";
            return Err(refused(field, problem));
        }
        if !before.ends_with('-') {
            let problem = "the part before `{quota}` must end in `-`: write `x-limit-{quota}`";
            return Err(refused(field, problem));
        }
        let lower = |part: &str| Box::from(part.to_ascii_lowercase());
        return Ok(Described::Each(lower(before), lower(after)));
    }
    let name = field_name(WHAT, field.name)?;
    let Some(quota) = field.quota else { return Ok(Described::Nearest(name)) };
    if Quotas::new([Quota::named(quota, 1, Duration::from_secs(1))]).is_err() {
        return Err(refused(
            field,
            "no quota can have the name in `of_quota`: write a quota's name",
        ));
    }
    Ok(Described::Named(name, Box::from(quota)))
}

fn refused(field: &LimitField<'_>, problem: &'static str) -> ConfigError {
    ConfigError::Header { what: WHAT, value: field.name.to_ascii_lowercase(), problem }
}
