//! Writing limit headers, in each dialect.

use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::limit_fields::PreparedLimitFields;
use super::number;
use super::structured_limits::{POLICY, RATE_LIMIT, StructuredLimits};
use crate::caller::Caller;
use crate::clock::Timestamp;
use crate::error::ConfigError;
use crate::profile::{Dialect, LimitHeaders, Reset};
use crate::quota::{AppliedQuotas, QuotaStatus, Verdict, whole_seconds};

/// The limit headers of a profile, prepared when the gate is built.
#[derive(Debug)]
pub(super) struct PreparedLimitHeaders {
    dialect: Dialect,
    reset: Reset,
    // A response without headers gets a copy of this map with new values, which saves three hashes of
    // long names.
    template: HeaderMap,
    /// The headers of the template, in its iteration order, which its copies share.
    order: Vec<(&'static HeaderName, Part)>,
    structured: StructuredLimits,
    own: PreparedLimitFields,
}

/// A part of the dialects that have one header for each number.
#[derive(Debug, Clone, Copy)]
enum Part {
    Limit,
    Remaining,
    Reset,
}

impl PreparedLimitHeaders {
    /// Prepares the headers of a profile.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Header`] for a header or a parameter that is not valid.
    pub(super) fn new(headers: &LimitHeaders<'_>) -> Result<Self, ConfigError> {
        let mut template = HeaderMap::new();
        for (name, _) in parts(headers) {
            template.insert(name, HeaderValue::from_static("0"));
        }
        let part = |name| parts(headers).find(|(other, _)| *other == name);
        let order = template.keys().filter_map(part).collect();
        let structured = StructuredLimits::new(headers)?;
        let dialect = headers.dialect;
        let names = match dialect {
            Dialect::Structured => vec![POLICY, RATE_LIMIT],
            _ => template.keys().cloned().collect(),
        };
        let own = PreparedLimitFields::new(headers.fields, names)?;
        Ok(Self { dialect, reset: headers.reset, template, order, structured, own })
    }

    /// Refuses quotas whose names would meet under one header's name, or under a reserved name.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Header`].
    pub(super) fn check_quotas(&self, quotas: AppliedQuotas<'_>) -> Result<(), ConfigError> {
        self.own.check_quotas(quotas)
    }

    /// Returns true if this is the name of a header that [`write`](Self::write) writes.
    pub(super) fn has(&self, name: &HeaderName) -> bool {
        let of_the_dialect = match self.dialect {
            Dialect::Structured => [POLICY, RATE_LIMIT].contains(name),
            _ => self.template.contains_key(name),
        };
        of_the_dialect || self.own.has(name)
    }

    /// Returns true if a response has any limit header.
    pub(super) fn speak(&self) -> bool {
        self.dialect != Dialect::None || !self.own.is_empty()
    }

    /// Writes the headers, and replaces those that the service has set.
    pub(super) fn write(
        &self,
        headers: &mut HeaderMap,
        quotas: AppliedQuotas<'_>,
        verdict: &Verdict,
        caller: Caller<'_>,
        cost: u32,
        now: Timestamp,
    ) {
        match self.dialect {
            Dialect::None => {}
            Dialect::Structured => self.structured.write(headers, quotas, verdict, caller, now),
            Dialect::RateLimit | Dialect::XRateLimit => self.write_plain(headers, verdict, now),
        }
        if !self.own.is_empty() {
            self.own.write(headers, quotas, verdict, cost, now);
        }
    }

    /// Writes the dialects that have one header for each number.
    fn write_plain(&self, headers: &mut HeaderMap, verdict: &Verdict, now: Timestamp) {
        let Some((_, nearest)) = verdict.nearest() else {
            return;
        };
        let value = |part| number::value(number(self.reset, part, &nearest, now));
        if headers.is_empty() {
            *headers = self.template.clone();
            for (slot, (_, part)) in headers.values_mut().zip(&self.order) {
                *slot = value(*part);
            }
        } else {
            for (name, part) in &self.order {
                headers.insert(*name, value(*part));
            }
        }
    }
}

/// Lists the headers that are sent, for the dialects that have one header for each number.
fn parts(headers: &LimitHeaders<'_>) -> impl Iterator<Item = (&'static HeaderName, Part)> + use<> {
    let names = match headers.dialect {
        Dialect::None | Dialect::Structured => None,
        Dialect::RateLimit => Some(&RATE_LIMIT_NAMES),
        Dialect::XRateLimit => Some(&X_RATE_LIMIT_NAMES),
    };
    let parts = [Part::Limit, Part::Remaining, Part::Reset];
    let sent = [headers.limit, headers.remaining, headers.reset != Reset::Omitted];
    let named = names.into_iter().flatten().zip(parts).zip(sent);
    named.filter(|(_, sent)| *sent).map(|(named, _)| named)
}

/// Returns the number in a header: requests, seconds, or the Unix time in seconds.
fn number(reset: Reset, part: Part, status: &QuotaStatus, now: Timestamp) -> u64 {
    match part {
        Part::Limit => status.limit().into(),
        Part::Remaining => status.remaining().into(),
        Part::Reset if reset == Reset::UnixTime => {
            let end = now.plus(status.reset_after());
            whole_seconds(end.since(Timestamp::default()))
        }
        Part::Reset => whole_seconds(status.reset_after()),
    }
}

static RATE_LIMIT_NAMES: [HeaderName; 3] = [
    HeaderName::from_static("ratelimit-limit"),
    HeaderName::from_static("ratelimit-remaining"),
    HeaderName::from_static("ratelimit-reset"),
];

static X_RATE_LIMIT_NAMES: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit"),
    HeaderName::from_static("x-ratelimit-remaining"),
    HeaderName::from_static("x-ratelimit-reset"),
];

/// Writes `Retry-After` in seconds.
pub(super) fn write_retry_after(headers: &mut HeaderMap, seconds: u64) {
    headers.insert(RETRY_AFTER, number::value(seconds));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::key::KeyRecord;
    use crate::quota::Quota;

    /// The window of a month is as long as the current month (draft-11 §3.1.2 counts it in seconds).
    #[test]
    fn a_window_of_the_calendars_is_told_as_long_as_it_is_now() {
        const DAY: u64 = 86_400;
        let quotas = [Quota::by_day("day", 10), Quota::by_month("month", 100)];
        let mut verdict = Verdict::passed();
        quotas
            .iter()
            .for_each(|quota| verdict.push(QuotaStatus::new(quota.limit(), 1, quota.window())));
        let written = |now| {
            let (mut headers, quotas) =
                (HeaderMap::new(), AppliedQuotas { general: &quotas, route: &[] });
            let prepared = PreparedLimitHeaders::new(&LimitHeaders::STRUCTURED).unwrap();
            let (record, now) =
                (KeyRecord::bare("key_1", "acme"), Timestamp::from_unix_seconds(now));
            prepared.write(&mut headers, quotas, &verdict, Caller::Key(&record), 1, now);
            headers[POLICY].to_str().unwrap().to_owned()
        };
        for (now, days) in [(0, 31), (31 * DAY, 28), (59 * DAY, 31), (951_782_400, 29)] {
            let expected = format!(r#""day";q=10;w={DAY}, "month";q=100;w={}"#, days * DAY);
            assert_eq!(written(now), expected);
        }
    }

    fn written(fields: LimitHeaders, mut headers: HeaderMap) -> Vec<(String, String)> {
        let quotas = [
            Quota::new("minute", 100, Duration::from_secs(60)),
            Quota::new("hour", 5_000, Duration::from_secs(3_600)),
        ];
        let mut verdict = Verdict::passed();
        for (limit, remaining, milliseconds) in [(100, 57, 29_001), (5_000, 4_957, 3_000_000)] {
            verdict.push(QuotaStatus::new(limit, remaining, Duration::from_millis(milliseconds)));
        }
        let quotas = AppliedQuotas { general: &quotas, route: &[] };
        let now = Timestamp::from_unix_seconds(1_700_000_000);
        let record = KeyRecord::bare("key_1", "acme");
        let prepared = PreparedLimitHeaders::new(&fields).unwrap();
        prepared.write(&mut headers, quotas, &verdict, Caller::Key(&record), 1, now);
        let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
        headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
    }

    #[test]
    fn every_dialect_is_spoken() {
        let two = LimitHeaders { limit: false, ..LimitHeaders::RATE_LIMIT };
        let epoch = LimitHeaders { reset: Reset::UnixTime, ..LimitHeaders::X_RATE_LIMIT };
        let bare =
            LimitHeaders { remaining: false, reset: Reset::Omitted, ..LimitHeaders::X_RATE_LIMIT };
        for (fields, expected) in [
            (LimitHeaders::NONE, &[][..]),
            (
                LimitHeaders::RATE_LIMIT,
                &[
                    ("ratelimit-limit", "100"),
                    ("ratelimit-remaining", "57"),
                    ("ratelimit-reset", "30"),
                ],
            ),
            (two, &[("ratelimit-remaining", "57"), ("ratelimit-reset", "30")]),
            (
                epoch,
                &[
                    ("x-ratelimit-limit", "100"),
                    ("x-ratelimit-remaining", "57"),
                    ("x-ratelimit-reset", "1700000030"),
                ],
            ),
            (bare, &[("x-ratelimit-limit", "100")]),
            (
                LimitHeaders::STRUCTURED,
                &[
                    ("ratelimit-policy", r#""minute";q=100;w=60, "hour";q=5000;w=3600"#),
                    ("ratelimit", r#""minute";r=57;t=30, "hour";r=4957;t=3000"#),
                ],
            ),
        ] {
            let expected: Vec<_> =
                expected.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
            assert_eq!(written(fields, HeaderMap::new()), expected, "{fields:?}");
            // The service's own headers of these names give way, and others stay.
            let mut own = HeaderMap::new();
            own.insert("ratelimit-remaining", HeaderValue::from_static("7"));
            own.insert("x-ratelimit-remaining", HeaderValue::from_static("7"));
            own.insert("server", HeaderValue::from_static("own"));
            let mut merged = written(fields, own);
            merged.retain(|(_, value)| value != "7" && value != "own");
            merged.sort();
            let mut sorted = expected.clone();
            sorted.sort();
            assert_eq!(merged, sorted, "{fields:?}");
        }
    }
}
