//! Limit fields of any quotas, whatever a limiter says of them: the structured ones are lists as
//! RFC 9651 has them, and the others are numbers.

#![no_main]

#[path = "../../tests/conformance/structured.rs"]
mod structured;

use std::cell::RefCell;
use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use libfuzzer_sys::fuzz_target;
use structured::{list, parameter};
use tokio::runtime::{Builder, Runtime};
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::key::{Account, KeyHasher, KeyRecord};
use tower_api_key::quota::{Algorithm, Per, Quota, OnLimiterFailure, QuotaStatus, Verdict};
use tower_api_key::limits::{Charge, Limiter, LimiterError};
use tower_api_key::profile::{Dialect, LimitField, LimitHeaders, LimitValue, Reset};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, Reply, Profile, vendors};

const KEY: &[u8] = b"0123456789abcdef";
/// Fields with names of their own, for the nearest quota and for each.
const OWN: &[LimitField] = &[
    LimitField::new("own-used", LimitValue::Used),
    LimitField::new("own-reset", LimitValue::ResetUnixTime).decimals(9),
    LimitField::new("own-{quota}-reset", LimitValue::ResetDuration).decimals(3),
    LimitField::new("own-{quota}-window", LimitValue::Window).decimals(1),
    LimitField::new("own-{quota}-name", LimitValue::QuotaName),
];
const DIALECTS: [LimitHeaders; 6] = [
    LimitHeaders { fields: OWN, ..LimitHeaders::RATE_LIMIT },
    LimitHeaders {
        fields: OWN,
        unit: Some("requests"),
        partition_keys: true,
        ..LimitHeaders::STRUCTURED
    },
    LimitHeaders::STRUCTURED,
    LimitHeaders::RATE_LIMIT,
    LimitHeaders::X_RATE_LIMIT,
    LimitHeaders { reset: Reset::UnixTime, ..LimitHeaders::X_RATE_LIMIT },
];

/// Says of each quota in turn what the bytes say.
struct Told {
    /// The requests left and the nanoseconds to the reset; nothing of a quota that is not known.
    quotas: Vec<Option<(u32, u64)>>,
    wait: Option<u64>,
}

impl Limiter for Told {
    fn charge(&self, charge: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
        let mut verdict = Verdict::passed();
        for ((quota, _), told) in charge.quotas.iter().zip(&self.quotas) {
            let (left, reset) = told.unwrap_or((quota.limit(), 0));
            let reset = Duration::from_nanos(reset);
            let quota_status = QuotaStatus::new(quota.limit(), left.min(quota.limit()), reset);
            if quota.is_in_shadow() {
                verdict.push_in_shadow(quota_status, told.is_none());
            } else {
                verdict.push(quota_status);
            }
        }
        if let Some(wait) = self.wait {
            verdict.refuse(Duration::from_nanos(wait));
        }
        Reply::now(Ok(verdict))
    }
}

/// Reads numbers off the bytes, and zeros where they end.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    fn next<const BYTES: usize>(&mut self) -> u64 {
        let (now, rest) = self.0.split_at(BYTES.min(self.0.len()));
        self.0 = rest;
        now.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

thread_local! {
    static RUNTIME: RefCell<Runtime> =
        RefCell::new(Builder::new_current_thread().build().unwrap());
}

fuzz_target!(|bytes: &[u8]| {
    let mut numbers = Numbers(bytes);
    let dialect = DIALECTS[numbers.next::<1>() as usize % DIALECTS.len()];
    let now = Timestamp::from_unix_nanoseconds(numbers.next::<8>());
    let flags = numbers.next::<1>();
    let wait = (flags & 1 == 1).then(|| numbers.next::<8>());
    let (mut quotas, mut told) = (Vec::new(), Vec::new());
    for _ in 0..flags >> 1 & 7 {
        let length = numbers.next::<1>() as usize;
        let (name, rest) = numbers.0.split_at(length.min(numbers.0.len()));
        numbers.0 = rest;
        let name = String::from_utf8_lossy(name);
        let limit = numbers.next::<4>() as u32;
        let quota = Quota::named(name, limit, Duration::from_nanos(numbers.next::<8>()));
        let kind = numbers.next::<1>() as usize;
        let quota = quota.with_algorithm(Algorithm::ALL[kind % 5]);
        let quota = if kind / 5 % 2 == 1 { quota.with_per(Per::Key) } else { quota };
        quotas.push(if kind / 10 % 4 == 3 { quota.in_shadow() } else { quota });
        let stated = (numbers.next::<4>() as u32, numbers.next::<8>());
        told.push((numbers.next::<1>() % 4 != 3).then_some(stated));
    }
    // What no header can carry is no quota.
    let Ok(account) = Account::builder("acme").quotas(quotas.clone()).build() else { return };
    let store = MemoryStore::new();
    let record = KeyRecord::builder("key_1", account).build().unwrap();
    store.add_now(KeyHasher::sha256().digest(KEY), record);
    let profile = Profile { limit_headers: dialect, quotas: &[], ..vendors::REST_INTEGRATIONS };
    let service = ApiKeyLayer::builder(profile, store)
        .assume_https()
        .clock(ManualClock::starting_at(now))
        .limits(Told { quotas: told.clone(), wait }, OnLimiterFailure::Deny)
        .build()
        .unwrap()
        .layer(service_fn(|_: Request<()>| async {
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        }));
    let mut request = Request::new(());
    let token = [b"Bearer ", KEY].concat();
    request.headers_mut().insert("authorization", token.try_into().unwrap());
    let Ok(response) =
        RUNTIME.with_borrow_mut(|runtime| runtime.block_on(service.oneshot(request)));

    let refuses = wait.is_some() && !quotas.is_empty();
    assert_eq!(response.status() == 429, refuses, "{}", response.status());
    let headers = response.headers();
    let value = |name: &str| headers.get(name).map(|value| value.to_str().unwrap());
    let number = |name: &str| value(name).map(|text| text.parse::<u64>().unwrap());
    assert_eq!(number("retry-after").is_some_and(|seconds| seconds > 0), refuses);
    let open: Vec<&Quota> = quotas.iter().filter(|quota| !quota.is_in_shadow()).collect();
    if !dialect.fields.is_empty() {
        assert_eq!(number("own-used").is_some(), !open.is_empty());
        let decimal = |text: &str| text.parse::<f64>().is_ok_and(|number| number >= 0.0);
        assert_eq!(value("own-reset").is_some_and(decimal), !open.is_empty());
    }
    if dialect.dialect != Dialect::Structured {
        let prefix = if dialect.dialect == Dialect::RateLimit { "" } else { "x-" };
        for name in ["limit", "remaining", "reset"] {
            let name = format!("{prefix}ratelimit-{name}");
            assert_eq!(number(&name).is_some(), !open.is_empty(), "{name}");
        }
        return;
    }
    for (field, least) in
        [("ratelimit-policy", [("q", 1), ("w", 1)]), ("ratelimit", [("r", 0), ("t", 0)])]
    {
        let Some(text) = value(field) else {
            assert!(open.is_empty(), "{field} is not there");
            continue;
        };
        let items = list(text).unwrap_or_else(|| panic!("{field}: {text}"));
        let names: Vec<&str> = items.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, open.iter().map(|quota| quota.name()).collect::<Vec<_>>(), "{text}");
        for (name, least) in least {
            for item in &items {
                assert!(parameter(item, name).is_some_and(|value| value >= least), "{text}");
            }
        }
    }
});
