//! Promises on who is counted with whom.

use super::client::{LimiterClient, MINUTE, START, record};
use crate::key::KeyRecord;
use crate::limits::ChargeMode::IfAllowed;
use crate::limits::{Charge, Limiter};
use crate::quota::{AppliedQuotas, Per, Quota, QuotaStatus};
use crate::testing::fresh::{Maker, subject};
use crate::testing::outcome::done;

pub(super) async fn accounts_and_keys_are_counted_apart(make: &Maker<dyn Limiter>) {
    let mut client = LimiterClient::new(make).await;
    let shared = [Quota::new("account", 2, MINUTE)];
    let own = [Quota::new("key", 2, MINUTE).with_per(Per::Key)];
    for key in ["key_1", "key_2"] {
        client.key = key;
        assert!(client.passes(&shared, START).await);
        assert!(client.passes(&own, START).await && client.passes(&own, START).await);
        assert!(!client.passes(&own, START).await);
    }
    assert!(!client.passes(&shared, START).await, "both keys have used the account's two");
    "other".clone_into(&mut client.account);
    client.key = "key_3";
    assert!(client.passes(&shared, START).await && client.passes(&own, START).await);
}

pub(super) async fn a_route_has_counters_of_its_own(make: &Maker<dyn Limiter>) {
    let client = LimiterClient::new(make).await;
    let quota = [Quota::new("minute", 1, MINUTE)];
    assert!(client.ask(&quota, &[], 1, IfAllowed, START).await.retry_after().is_none());
    assert!(client.ask(&[], &quota, 1, IfAllowed, START).await.retry_after().is_none());
    let both = client.ask(&quota, &quota, 1, IfAllowed, START).await;
    assert_eq!((both.statuses().len(), both.retry_after()), (2, Some(MINUTE)));
}

pub(super) async fn equal_key_ids_of_two_accounts_share_nothing(make: &Maker<dyn Limiter>) {
    let mut client = LimiterClient::new(make).await;
    client.key = "default";
    let quotas = [Quota::new("minute", 1, MINUTE).with_per(Per::Key)];
    for account in (0..200).map(|number| format!("account_{number}")) {
        client.account = account;
        assert!(client.passes(&quotas, START).await, "{}", client.account);
    }
}

/// Records remember where a limiter counts them; another limiter must not be misled.
pub(super) async fn two_limiters_share_nothing(make: &Maker<dyn Limiter>) {
    let (one, other) = (make.fresh(()).await, make.fresh(()).await);
    let (one, other) = (subject(&*one), subject(&*other));
    let quotas = [Quota::new("minute", 1, MINUTE)];
    let records: Vec<KeyRecord> =
        (0..50).map(|number| record(&format!("account_{number}"), "key")).collect();
    for round in 0..3 {
        // In another order, so that places differ.
        for (limiter, record) in records
            .iter()
            .map(|record| (one, record))
            .chain(records.iter().rev().map(|r| (other, r)))
        {
            let quotas = AppliedQuotas { general: &quotas, route: &[] };
            let charge = Charge { record, quotas, cost: 1, mode: IfAllowed, now: START };
            let verdict = done(limiter.charge(charge).await, "a charge");
            assert_eq!(
                verdict.retry_after().is_none(),
                round == 0,
                "{} {round}",
                record.account().id()
            );
        }
    }
}

/// Requests of an account that go to different routes are under different quotas, in any order.
pub(super) async fn a_routes_quotas_come_and_go(make: &Maker<dyn Limiter>) {
    let client = LimiterClient::new(make).await;
    let general = [Quota::new("minute", 100, MINUTE)];
    let routes = ["a", "b", "c"].map(|name| [Quota::new(name, 10, MINUTE)]);
    for round in 1..=10 {
        for (number, route) in (1..).zip(&routes) {
            let verdict = client.ask(&general, route, 1, IfAllowed, START).await;
            let remaining: Vec<u32> =
                verdict.statuses().iter().map(QuotaStatus::remaining).collect();
            assert_eq!(remaining, [100 - (round - 1) * 3 - number, 10 - round]);
        }
        assert_eq!(client.remaining(&general, START).await, [100 - round * 3]);
    }
    for route in &routes {
        assert!(client.ask(&general, route, 1, IfAllowed, START).await.retry_after().is_some());
    }
}
