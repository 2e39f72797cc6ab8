//! Promises on the networks of anonymous clients.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::client::{MINUTE, START, at, first, record, remaining};
use crate::caller::{Caller, ClientNetwork};
use crate::clock::Timestamp;
use crate::limits::ChargeMode::{self, IfAllowed, Peek};
use crate::limits::{Charge, Limiter, Refund};
use crate::quota::{Algorithm, AppliedQuotas, Quota, Verdict};
use crate::testing::fresh::{Fresh, Maker, subject};
use crate::testing::outcome::done;

/// The networks of a flood.
const FLOOD: u16 = 3_000;

/// A new limiter, which is charged for networks and for accounts.
struct AnonymousClient(Arc<dyn Fresh<dyn Limiter>>);

impl AnonymousClient {
    async fn new(make: &Maker<dyn Limiter>) -> Self {
        Self(make.fresh(()).await)
    }

    async fn ask(
        &self,
        caller: Caller<'_>,
        quotas: AppliedQuotas<'_>,
        (cost, mode): (u32, ChargeMode),
        now: Timestamp,
    ) -> Verdict {
        let charge = Charge { caller, quotas, cost, mode, now };
        done(subject(&*self.0).charge(charge).await, "charging a request")
    }

    async fn passes(&self, caller: Caller<'_>, quotas: &[Quota], now: Timestamp) -> bool {
        let quotas = AppliedQuotas { general: quotas, route: &[] };
        self.ask(caller, quotas, (1, IfAllowed), now).await.retry_after().is_none()
    }
}

/// Returns a network of a site that has many.
fn network(number: u16) -> ClientNetwork {
    ClientNetwork::of(Ipv6Addr::new(0x2001, 0xdb8, 1, number, 0, 0, 0, 1).into())
}

pub(super) async fn networks_are_counted_apart(make: &Maker<dyn Limiter>) {
    let mapped = Ipv4Addr::new(192, 0, 2, 7).to_ipv6_mapped();
    for algorithm in Algorithm::ALL {
        let client = AnonymousClient::new(make).await;
        let quotas = [Quota::new("minute", 1, MINUTE).with_algorithm(algorithm)];
        let four = [7, 8].map(|host| ClientNetwork::of(Ipv4Addr::new(192, 0, 2, host).into()));
        let all = [four[0], four[1], network(1), network(2), ClientNetwork::UNKNOWN];
        for first in [true, false] {
            for network in &all {
                let passes = client.passes(Caller::Network(network), &quotas, START).await;
                assert_eq!(passes, first, "{algorithm:?}: whether a request of {network} passes");
            }
        }
        let mapped = ClientNetwork::of(mapped.into());
        let passes = client.passes(Caller::Network(&mapped), &quotas, START).await;
        assert!(!passes, "{algorithm:?}: an IPv4-mapped address is counted apart");
    }
}

pub(super) async fn networks_are_charged_as_accounts_are(make: &Maker<dyn Limiter>) {
    let client = AnonymousClient::new(make).await;
    let (tight, loose) = ([Quota::new("minute", 2, MINUTE)], [Quota::new("minute", 9, MINUTE)]);
    let quotas = AppliedQuotas { general: &tight, route: &loose };
    let network = network(1);
    let caller = Caller::Network(&network);
    for (cost, mode, passes, left) in [
        (1, Peek, true, [2, 9]),
        (3, IfAllowed, false, [2, 9]),
        (2, IfAllowed, true, [0, 7]),
        (1, Peek, false, [0, 7]),
        (0, Peek, true, [0, 7]),
        (1, IfAllowed, false, [0, 7]),
    ] {
        let verdict = client.ask(caller, quotas, (cost, mode), START).await;
        let wait = verdict.retry_after();
        assert_eq!(wait, (!passes).then_some(MINUTE), "the wait for a cost of {cost}, {mode:?}");
        assert_eq!(remaining(&verdict), left, "what remains after a cost of {cost}, {mode:?}");
    }
    let passes = client.passes(caller, &tight, at(60)).await;
    assert!(passes, "a request in the next window is refused");
}

/// A network that the limiter counts apart, as it does the first ones.
pub(super) async fn a_network_gets_a_refund_as_an_account_does(make: &Maker<dyn Limiter>) {
    for algorithm in Algorithm::ALL {
        let client = AnonymousClient::new(make).await;
        let general = [Quota::new("minute", 10, MINUTE).with_algorithm(algorithm)];
        let route = [Quota::new("minute", 8, MINUTE).with_algorithm(algorithm)];
        let quotas = AppliedQuotas { general: &general, route: &route };
        let networks = [network(1), network(2), ClientNetwork::UNKNOWN];
        for network in &networks {
            client.ask(Caller::Network(network), quotas, (2, IfAllowed), START).await;
        }
        let (caller, mode) = (Caller::Network(&networks[0]), IfAllowed);
        let verdict = client.ask(caller, quotas, (5, mode), START).await;
        let charge = Charge { caller, quotas, cost: 5, mode, now: START };
        let limiter = subject(&*client.0);
        let given = if limiter.refunds() { 3 } else { 0 };
        let refund = Refund { charge, verdict: &verdict, cost: 3, now: START };
        done(limiter.refund(refund).await, "giving a cost back");
        for (network, expected) in networks.iter().zip([[3 + given, 1 + given], [8, 6], [8, 6]]) {
            let left = client.ask(Caller::Network(network), quotas, (0, Peek), START).await;
            assert_eq!(
                remaining(&left),
                expected,
                "{algorithm:?}: what remains of the quotas of {network}"
            );
        }
    }
}

/// An account may be named as a limiter names a network.
pub(super) async fn no_account_is_counted_as_a_network(make: &Maker<dyn Limiter>) {
    let client = AnonymousClient::new(make).await;
    let quotas = [Quota::new("minute", 1, MINUTE)];
    let network = ClientNetwork::of(Ipv4Addr::new(192, 0, 2, 7).into());
    let passes = client.passes(Caller::Network(&network), &quotas, START).await;
    assert!(passes, "the first request of a network is refused");
    for account in [
        "192.0.2.7",
        "192.0.2.7/32",
        "::ffff:192.0.2.7",
        "::ffff:192.0.2.7/128",
        "network:192.0.2.7",
        "network:192.0.2.7/32",
        "%network:192.0.2.7/32",
        "unknown",
        "others",
        "network",
        "anonymous",
    ] {
        let record = record(account, "key_1");
        let passes = client.passes(Caller::Key(&record), &quotas, START).await;
        assert!(passes, "the account `{account}` shares a count with a network");
    }
    let unknown = Caller::Network(&ClientNetwork::UNKNOWN);
    assert!(
        client.passes(unknown, &quotas, START).await,
        "the clients of unknown address share a count with an account"
    );
}

/// A limiter need not count each network of a flood apart. But accounts keep their counts, and so does a network
/// that is counted already.
pub(super) async fn a_flood_of_networks_frees_no_quota(make: &Maker<dyn Limiter>) {
    let client = AnonymousClient::new(make).await;
    let quotas = [Quota::new("minute", 1, MINUTE)];
    let (acme, early) = (record("acme", "key_1"), network(0));
    for caller in [Caller::Key(&acme), Caller::Network(&early)] {
        assert!(client.passes(caller, &quotas, START).await, "the first request is refused");
    }
    for number in 1..FLOOD {
        client.passes(Caller::Network(&network(number)), &quotas, START).await;
    }
    let late = record("globex", "key_2");
    assert!(client.passes(Caller::Key(&late), &quotas, START).await, "a new account is refused");
    for (caller, what) in [
        (Caller::Key(&acme), "an account"),
        (Caller::Network(&early), "a network from before"),
        (Caller::Network(&network(FLOOD - 1)), "the last network"),
    ] {
        let applied = AppliedQuotas { general: &quotas, route: &[] };
        let verdict = client.ask(caller, applied, (1, IfAllowed), START).await;
        assert_eq!(first(&verdict).remaining(), 0, "what remains of the quota of {what}");
        assert!(verdict.retry_after().is_some(), "a flood of networks frees the quota of {what}");
    }
}
