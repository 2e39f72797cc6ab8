//! Promises on the subject of a quota: an account, a key or a route.

use super::client::{KeyClient, MINUTE, START, record, remaining};
use crate::caller::Caller;
use crate::key::KeyRecord;
use crate::limits::ChargeMode::IfAllowed;
use crate::limits::{Charge, Limiter};
use crate::quota::{AppliedQuotas, Per, Quota};
use crate::testing::fresh::{Maker, subject};
use crate::testing::outcome::done;

pub(super) async fn accounts_and_keys_are_counted_apart(make: &Maker<dyn Limiter>) {
    let mut client = KeyClient::new(make).await;
    let shared = [Quota::new("account", 2, MINUTE)];
    let own = [Quota::new("key", 2, MINUTE).with_per(Per::Key)];
    for key in ["key_1", "key_2"] {
        client.key = key;
        assert!(client.passes(&shared, START).await, "the account's quota refuses {key} too early");
        for _ in 0..2 {
            assert!(client.passes(&own, START).await, "the quota of {key} refuses too early");
        }
        assert!(!client.passes(&own, START).await, "the quota of {key} refuses too late");
    }
    assert!(!client.passes(&shared, START).await, "the account's quota does not count both keys");
    "other".clone_into(&mut client.account);
    client.key = "key_3";
    assert!(client.passes(&shared, START).await, "two accounts share a count");
    assert!(client.passes(&own, START).await, "the keys of two accounts share a count");
}

pub(super) async fn a_route_has_counters_of_its_own(make: &Maker<dyn Limiter>) {
    let client = KeyClient::new(make).await;
    let quota = [Quota::new("minute", 1, MINUTE)];
    let general = client.ask(&quota, &[], 1, IfAllowed, START).await.retry_after();
    assert_eq!(general, None, "the first request under a general quota");
    let route = client.ask(&[], &quota, 1, IfAllowed, START).await.retry_after();
    assert_eq!(route, None, "the first request under an equal quota of a route");
    let both = client.ask(&quota, &quota, 1, IfAllowed, START).await;
    let actual = (both.statuses().len(), both.retry_after());
    assert_eq!(actual, (2, Some(MINUTE)), "the statuses and retry-after under both used up quotas");
}

pub(super) async fn equal_key_ids_of_two_accounts_share_nothing(make: &Maker<dyn Limiter>) {
    let mut client = KeyClient::new(make).await;
    client.key = "default";
    let quotas = [Quota::new("minute", 1, MINUTE).with_per(Per::Key)];
    for account in (0..200).map(|number| format!("account_{number}")) {
        client.account = account;
        let passes = client.passes(&quotas, START).await;
        assert!(passes, "the key of {} shares a count with an equal key id", client.account);
    }
}

/// A record may cache where a limiter counts it. Another limiter must not use that.
pub(super) async fn two_limiters_share_nothing(make: &Maker<dyn Limiter>) {
    let (one, other) = (make.fresh(()).await, make.fresh(()).await);
    let (one, other) = (subject(&*one), subject(&*other));
    let quotas = [Quota::new("minute", 1, MINUTE)];
    let records: Vec<KeyRecord> =
        (0..50).map(|number| record(&format!("account_{number}"), "key")).collect();
    for round in 0..3 {
        // The other limiter counts in another order, so that the positions of the counters differ.
        for (limiter, record) in records
            .iter()
            .map(|record| (one, record))
            .chain(records.iter().rev().map(|r| (other, r)))
        {
            let quotas = AppliedQuotas { general: &quotas, route: &[] };
            let charge = Charge {
                caller: Caller::Key(record),
                quotas,
                cost: 1,
                mode: IfAllowed,
                now: START,
            };
            let verdict = done(limiter.charge(charge).await, "charging a request");
            assert_eq!(
                verdict.retry_after().is_none(),
                round == 0,
                "whether a request of {} passes, in round {round}",
                record.account().id()
            );
        }
    }
}

/// Requests of one account to different routes have different quotas, in any order.
pub(super) async fn a_routes_quotas_come_and_go(make: &Maker<dyn Limiter>) {
    let client = KeyClient::new(make).await;
    let general = [Quota::new("minute", 100, MINUTE)];
    let routes = ["a", "b", "c"].map(|name| [Quota::new(name, 10, MINUTE)]);
    for round in 1..=10 {
        for (number, route) in (1..).zip(&routes) {
            let verdict = client.ask(&general, route, 1, IfAllowed, START).await;
            let expected = [100 - (round - 1) * 3 - number, 10 - round];
            assert_eq!(
                remaining(&verdict),
                expected,
                "what remains of the general quota and of a route's"
            );
        }
        let remaining = client.remaining(&general, START).await;
        assert_eq!(remaining, [100 - round * 3], "what remains of the general quota");
    }
    for route in &routes {
        let refused = client.ask(&general, route, 1, IfAllowed, START).await.retry_after();
        assert!(refused.is_some(), "a request beyond the quota of a route passes");
    }
}
