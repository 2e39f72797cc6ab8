//! The three limit headers of a straight function: inserted one by one, or in a map that is built once and copied.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use tower_api_key::quota::QuotaStatus;

static NAMES: [HeaderName; 3] = [
    HeaderName::from_static("ratelimit-limit"),
    HeaderName::from_static("ratelimit-remaining"),
    HeaderName::from_static("ratelimit-reset"),
];
const DIGITS: usize = 4;

/// A map of the three headers, and the digits of the numbers below 10,000.
pub(crate) struct LimitTemplate {
    headers: HeaderMap,
    numbers: &'static [[u8; DIGITS]],
}

impl LimitTemplate {
    /// Builds the map and the digits. The digits stay until the process ends.
    pub(crate) fn new() -> Self {
        let mut headers = HeaderMap::new();
        for name in &NAMES {
            headers.insert(name, HeaderValue::from_static("0"));
        }
        let digits = |number: usize| format!("{number:04}").as_bytes().try_into().expect("four");
        Self { headers, numbers: Vec::leak((0..10_000).map(digits).collect()) }
    }

    /// Returns the headers of a quota.
    pub(crate) fn copy(&self, status: &QuotaStatus) -> HeaderMap {
        let mut headers = self.headers.clone();
        // A map that nothing was removed from lists its headers in the order in which they came.
        for (value, number) in headers.values_mut().zip(numbers(status)) {
            *value = self.number(number);
        }
        headers
    }

    fn number(&self, number: u64) -> HeaderValue {
        let digits = match number {
            0..10 => 1,
            10..100 => 2,
            100..1_000 => 3,
            _ => DIGITS,
        };
        usize::try_from(number)
            .ok()
            .and_then(|number| self.numbers.get(number)?.get(DIGITS - digits..))
            .and_then(|text| HeaderValue::from_maybe_shared(Bytes::from_static(text)).ok())
            .unwrap_or_else(|| HeaderValue::from(number))
    }
}

/// Inserts the headers of a quota, as a program does that has no template.
pub(crate) fn insert(headers: &mut HeaderMap, status: &QuotaStatus) {
    for (name, number) in NAMES.iter().zip(numbers(status)) {
        headers.insert(name, HeaderValue::from(number));
    }
}

/// Returns the limit, what remains of it, and the seconds until it is back, rounded up.
fn numbers(status: &QuotaStatus) -> [u64; 3] {
    let reset = status.reset_after();
    let reset = reset.as_secs() + u64::from(reset.subsec_nanos() > 0);
    [status.limit().into(), status.remaining().into(), reset]
}
