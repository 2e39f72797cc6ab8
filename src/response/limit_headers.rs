//! Limit headers in their dialects.

use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::number;
use crate::clock::Timestamp;
use crate::profile::{Dialect, LimitHeaders, Reset};
use crate::quota::{AppliedQuotas, Quota, QuotaStatus, Verdict, whole_seconds, window_at};

/// The limit headers of a profile, made as far as they can be without a request.
#[derive(Debug)]
pub(super) struct PreparedLimitHeaders {
    headers: LimitHeaders,
    // A response without headers gets a copy of this map with the values set anew, which spares it
    // three hashes of long names.
    template: HeaderMap,
    /// What stands in the template, in the order in which it and its copies are walked.
    order: Vec<Field>,
}

/// A field of the dialects that have one for each number.
#[derive(Debug, Clone, Copy)]
enum Field {
    Limit,
    Remaining,
    Reset,
}

impl PreparedLimitHeaders {
    pub(super) fn new(headers: LimitHeaders) -> Self {
        let mut template = HeaderMap::new();
        for (name, _) in fields(headers) {
            template.insert(name, HeaderValue::from_static("0"));
        }
        let field = |name| fields(headers).find(|(other, _)| *other == name);
        let order = template.keys().filter_map(field).map(|(_, field)| field).collect();
        Self { headers, template, order }
    }

    /// Tells whether this is the name of a field that is written.
    pub(super) fn has(&self, name: &HeaderName) -> bool {
        match self.headers.dialect {
            Dialect::Structured => [POLICY, RATE_LIMIT].contains(name),
            _ => self.template.contains_key(name),
        }
    }

    /// Tells whether anything is written at all.
    pub(super) fn speak(&self) -> bool {
        self.headers.dialect != Dialect::None
    }

    /// Writes the fields, in place of any that the service set.
    pub(super) fn write(
        &self,
        headers: &mut HeaderMap,
        quotas: AppliedQuotas<'_>,
        verdict: &Verdict,
        now: Timestamp,
    ) {
        match self.headers.dialect {
            Dialect::None => return,
            Dialect::Structured => return write_structured(headers, quotas, verdict, now),
            Dialect::RateLimit | Dialect::XRateLimit => {}
        }
        let Some((_, nearest)) = verdict.nearest() else {
            return;
        };
        let value = |field| number::value(number(self.headers, field, &nearest, now));
        if headers.is_empty() {
            *headers = self.template.clone();
            for (slot, field) in headers.values_mut().zip(&self.order) {
                *slot = value(*field);
            }
        } else {
            for (name, field) in fields(self.headers) {
                headers.insert(name, value(field));
            }
        }
    }
}

/// Lists the fields that are sent, in the dialects that have one for each number.
fn fields(headers: LimitHeaders) -> impl Iterator<Item = (&'static HeaderName, Field)> {
    let names = match headers.dialect {
        Dialect::None | Dialect::Structured => None,
        Dialect::RateLimit => Some(&RATE_LIMIT_NAMES),
        Dialect::XRateLimit => Some(&X_RATE_LIMIT_NAMES),
    };
    let fields = [Field::Limit, Field::Remaining, Field::Reset];
    let sent = [headers.limit, headers.remaining, headers.reset != Reset::Omitted];
    let named = names.into_iter().flatten().zip(fields).zip(sent);
    named.filter(|(_, sent)| *sent).map(|(named, _)| named)
}

/// Returns what a field says.
fn number(headers: LimitHeaders, field: Field, status: &QuotaStatus, now: Timestamp) -> u64 {
    match field {
        Field::Limit => status.limit().into(),
        Field::Remaining => status.remaining().into(),
        Field::Reset if headers.reset == Reset::UnixTime => {
            let end = now.plus(status.reset_after());
            whole_seconds(end.since(Timestamp::default()))
        }
        Field::Reset => whole_seconds(status.reset_after()),
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

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Writes lists of all quotas. Names are strings of visible ASCII without quote or backslash, so
/// they need no escape (RFC 9651 §4.1.6).
fn write_structured(
    headers: &mut HeaderMap,
    quotas: AppliedQuotas<'_>,
    verdict: &Verdict,
    now: Timestamp,
) {
    let pairs = quotas.iter().map(|(quota, _)| quota).zip(verdict.statuses()).enumerate();
    let pairs = pairs.filter(|(index, _)| verdict.speaks_of(*index));
    let pairs: Vec<(&Quota, &QuotaStatus)> = pairs.map(|(_, pair)| pair).collect();
    let mut insert = |name, items: Vec<String>| {
        // Names are checked when a quota set is made, so every list fits a header.
        if let Ok(value) = HeaderValue::from_str(&items.join(", "))
            && !value.is_empty()
        {
            headers.insert(name, value);
        }
    };
    let policy = pairs.iter().map(|(quota, status)| {
        let seconds = whole_seconds(window_at(quota, now));
        // The limit that was counted against, which may be a node's share.
        format!(r#""{}";q={};w={seconds}"#, quota.name(), status.limit())
    });
    insert(POLICY, policy.collect());
    let status = pairs.iter().map(|(quota, status)| {
        let more = status.more_after(quota);
        // Whoever may come back finds more, so `t` is no later than `Retry-After` (§6 of the draft).
        let back = verdict.retry_after().filter(|_| status.remaining() == 0);
        let seconds = whole_seconds(back.map_or(more, |wait| more.min(wait)));
        format!(r#""{}";r={};t={seconds}"#, quota.name(), status.remaining())
    });
    insert(RATE_LIMIT, status.collect());
}

/// Writes `Retry-After` in seconds.
pub(super) fn write_retry_after(headers: &mut HeaderMap, seconds: u64) {
    headers.insert(RETRY_AFTER, number::value(seconds));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A month's window is as long as the month that it is (draft-11 §3.1.2 counts it in seconds).
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
            let prepared = PreparedLimitHeaders::new(LimitHeaders::STRUCTURED);
            prepared.write(&mut headers, quotas, &verdict, Timestamp::from_unix_seconds(now));
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
        PreparedLimitHeaders::new(fields).write(&mut headers, quotas, &verdict, now);
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
            // The service's own fields of these names give way, and others stay.
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
