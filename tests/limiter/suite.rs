//! What a limiter promises, case by case.

use std::sync::Arc;
use std::time::Duration;

use tower_api_key::clock::Timestamp;
use tower_api_key::key::{Account, KeyRecord};
use tower_api_key::limits::Taking::{self, Always, IfRoom, Nothing};
use tower_api_key::limits::{Charge, Limiter};
use tower_api_key::quota::{Algorithm, Applicable, Per, Quota, Standing, Verdict};

use crate::Make;

pub(crate) const START: Timestamp = Timestamp::from_unix_seconds(1_000_000_020);
const MINUTE: Duration = Duration::from_secs(60);

/// From [`START`], 2001-09-09T01:47:00Z, to the end of its day, and of its month.
const TO_MIDNIGHT: u64 = 24 * 3_600 - 6_420;
const TO_OCTOBER: u64 = 21 * 24 * 3_600 + TO_MIDNIGHT;

/// Asks a limiter as a gate would.
pub(crate) struct Client {
    pub(crate) limiter: Arc<dyn Limiter>,
    pub(crate) account: &'static str,
    pub(crate) key: &'static str,
}

impl Client {
    pub(crate) fn new(make: Make<'_>) -> Self {
        Self { limiter: make(), account: "acme", key: "key_1" }
    }

    async fn ask(
        &self,
        general: &[Quota],
        route: &[Quota],
        cost: u32,
        taking: Taking,
        now: Timestamp,
    ) -> Verdict {
        let charge = self.limiter.charge(Charge {
            record: &self.record(),
            quotas: Applicable { general, route },
            cost,
            taking,
            now,
        });
        charge.await.unwrap()
    }

    fn record(&self) -> KeyRecord {
        let account = Arc::new(Account::builder(self.account).build().unwrap());
        KeyRecord::builder(self.key, account).build().unwrap()
    }

    pub(crate) async fn take(&self, quotas: &[Quota], now: Timestamp) -> Verdict {
        self.ask(quotas, &[], 1, IfRoom, now).await
    }

    async fn passes(&self, quotas: &[Quota], now: Timestamp) -> bool {
        self.take(quotas, now).await.retry_after().is_none()
    }

    async fn remaining(&self, quotas: &[Quota], now: Timestamp) -> Vec<u32> {
        let verdict = self.ask(quotas, &[], 0, Nothing, now).await;
        verdict.standings().iter().map(Standing::remaining).collect()
    }
}

fn at(seconds: u64) -> Timestamp {
    START.plus(Duration::from_secs(seconds))
}

pub(crate) async fn run(make: Make<'_>) {
    all_windows_are_charged_or_none(make).await;
    a_refused_request_makes_no_window_longer(make).await;
    remaining_and_reset_are_exact(make).await;
    accounts_and_keys_are_counted_apart(make).await;
    a_route_has_counters_of_its_own(make).await;
    a_cost_is_taken_whole_or_not_at_all(make).await;
    asking_takes_nothing(make).await;
    a_cost_found_afterwards_is_taken_even_without_room(make).await;
    a_cost_beyond_all_numbers_saturates(make).await;
    a_changed_plan_keeps_what_was_used(make).await;
    days_and_months_end_at_midnight(make).await;
    a_quota_in_shadow_refuses_nothing(make).await;
    a_quota_in_shadow_counts_as_if_it_refused(make).await;
    a_clock_set_back_locks_nobody_out(make).await;
    instants_out_of_order_begin_no_day_twice(make).await;
    instants_out_of_order_free_nothing(make).await;
    equal_key_ids_of_two_accounts_share_nothing(make).await;
    two_limiters_share_nothing(make).await;
    a_routes_quotas_come_and_go(make).await;
    threads_take_exactly_the_limit(make);
}

async fn all_windows_are_charged_or_none(make: Make<'_>) {
    for algorithm in Algorithm::ALL {
        let client = Client::new(make);
        let quotas = [
            Quota::new("loose", 10, 60 * MINUTE).counted(algorithm),
            Quota::new("tight", 3, MINUTE).counted(algorithm),
            Quota::new("key", 10, 60 * MINUTE).counted(algorithm).each(Per::Key),
        ];
        for _ in 0..3 {
            assert!(client.passes(&quotas, START).await);
        }
        for _ in 0..20 {
            assert!(!client.passes(&quotas, START).await);
        }
        assert_eq!(client.remaining(&quotas, START).await, [7, 0, 7], "{algorithm:?}");
    }
}

async fn a_refused_request_makes_no_window_longer(make: Make<'_>) {
    for (algorithm, free_after) in [
        (Algorithm::FixedWindow, 60),
        (Algorithm::LeakyBucket, 30),
        (Algorithm::SlidingWindow, 65),
        (Algorithm::CalendarDay, TO_MIDNIGHT),
        (Algorithm::CalendarMonth, TO_OCTOBER),
    ] {
        let client = Client::new(make);
        let quotas = [Quota::new("minute", 2, MINUTE).counted(algorithm)];
        assert!(client.passes(&quotas, at(0)).await && client.passes(&quotas, at(0)).await);
        for second in (0..free_after).step_by(usize::try_from(free_after.div_ceil(100)).unwrap()) {
            let verdict = client.take(&quotas, at(second)).await;
            let wait = Duration::from_secs(free_after - second);
            assert_eq!(verdict.retry_after(), Some(wait), "{algorithm:?} {second}");
        }
        assert!(client.passes(&quotas, at(free_after)).await, "{algorithm:?}");
    }
}

async fn remaining_and_reset_are_exact(make: Make<'_>) {
    let client = Client::new(make);
    let quotas = [Quota::new("minute", 100, MINUTE), Quota::new("hour", 5_000, 60 * MINUTE)];
    let standing =
        |limit, remaining, seconds| Standing::new(limit, remaining, Duration::from_secs(seconds));
    let first = client.take(&quotas, at(7)).await;
    assert_eq!(first.standings(), [standing(100, 99, 60), standing(5_000, 4_999, 3_600)]);
    let second = client.take(&quotas, at(60)).await;
    assert_eq!(second.standings(), [standing(100, 98, 7), standing(5_000, 4_998, 3_547)]);
    let third = client.take(&quotas, at(67)).await;
    assert_eq!(third.standings(), [standing(100, 99, 60), standing(5_000, 4_997, 3_540)]);
}

async fn accounts_and_keys_are_counted_apart(make: Make<'_>) {
    let mut client = Client::new(make);
    let shared = [Quota::new("account", 2, MINUTE)];
    let own = [Quota::new("key", 2, MINUTE).each(Per::Key)];
    for key in ["key_1", "key_2"] {
        client.key = key;
        assert!(client.passes(&shared, START).await);
        assert!(client.passes(&own, START).await && client.passes(&own, START).await);
        assert!(!client.passes(&own, START).await);
    }
    assert!(!client.passes(&shared, START).await, "both keys have used the account's two");
    client.account = "other";
    client.key = "key_3";
    assert!(client.passes(&shared, START).await && client.passes(&own, START).await);
}

async fn a_route_has_counters_of_its_own(make: Make<'_>) {
    let client = Client::new(make);
    let quota = [Quota::new("minute", 1, MINUTE)];
    assert!(client.ask(&quota, &[], 1, IfRoom, START).await.retry_after().is_none());
    assert!(client.ask(&[], &quota, 1, IfRoom, START).await.retry_after().is_none());
    let both = client.ask(&quota, &quota, 1, IfRoom, START).await;
    assert_eq!((both.standings().len(), both.retry_after()), (2, Some(MINUTE)));
}

async fn a_cost_is_taken_whole_or_not_at_all(make: Make<'_>) {
    for algorithm in Algorithm::ALL {
        let client = Client::new(make);
        let quotas = [Quota::new("minute", 10, MINUTE).counted(algorithm)];
        for (cost, passes, left) in
            [(7, true, 3), (4, false, 3), (11, false, 3), (3, true, 0), (1, false, 0)]
        {
            let verdict = client.ask(&quotas, &[], cost, IfRoom, START).await;
            assert_eq!(verdict.retry_after().is_none(), passes, "{algorithm:?} {cost}");
            assert_eq!(verdict.standings()[0].remaining(), left, "{algorithm:?} {cost}");
        }
    }
}

async fn asking_takes_nothing(make: Make<'_>) {
    let client = Client::new(make);
    let quotas = [Quota::new("minute", 1, MINUTE)];
    for _ in 0..5 {
        assert!(client.ask(&quotas, &[], 1, Nothing, START).await.retry_after().is_none());
    }
    assert!(client.passes(&quotas, START).await);
    assert_eq!(client.ask(&quotas, &[], 1, Nothing, START).await.retry_after(), Some(MINUTE));
    assert_eq!(client.ask(&quotas, &[], 0, Nothing, START).await.retry_after(), None);
}

async fn a_cost_found_afterwards_is_taken_even_without_room(make: Make<'_>) {
    // The bucket drains one in six seconds, so a full one has room for one again after that.
    for (algorithm, reset, free_after) in [
        (Algorithm::FixedWindow, 60, 60),
        (Algorithm::LeakyBucket, 60, 6),
        (Algorithm::SlidingWindow, 65, 65),
        (Algorithm::CalendarDay, TO_MIDNIGHT, TO_MIDNIGHT),
        (Algorithm::CalendarMonth, TO_OCTOBER, TO_OCTOBER),
    ] {
        let client = Client::new(make);
        let quotas = [Quota::new("minute", 10, MINUTE).counted(algorithm)];
        let reset_after = |verdict: &Verdict| verdict.standings()[0].reset_after().as_secs();
        for (cost, left) in [(4, 6), (0, 6), (4, 2), (7, 0), (5, 0)] {
            let verdict = client.ask(&quotas, &[], cost, Always, START).await;
            assert_eq!(verdict.retry_after(), None, "{algorithm:?} {cost}");
            assert_eq!(verdict.standings()[0].remaining(), left, "{algorithm:?} {cost}");
            let drained = u64::from(10 - left) * 6;
            let expected = if algorithm == Algorithm::LeakyBucket { drained } else { reset };
            assert_eq!(reset_after(&verdict), expected, "{algorithm:?} {cost}");
        }
        // What was taken too much makes nobody wait for longer than a full quota does.
        let refused = client.take(&quotas, START).await;
        assert_eq!(refused.retry_after().map(|wait| wait.as_secs()), Some(free_after));
        assert!(!client.passes(&quotas, at(free_after - 1)).await, "{algorithm:?}");
        assert!(client.passes(&quotas, at(free_after)).await, "{algorithm:?}");
    }
}

async fn a_cost_beyond_all_numbers_saturates(make: Make<'_>) {
    for algorithm in [Algorithm::FixedWindow, Algorithm::LeakyBucket, Algorithm::SlidingWindow] {
        let client = Client::new(make);
        let quotas = [Quota::new("minute", 10, MINUTE).counted(algorithm)];
        for now in [at(0), at(5), at(10)] {
            let verdict = client.ask(&quotas, &[], u32::MAX, Always, now).await;
            assert_eq!(verdict.standings()[0].remaining(), 0, "{algorithm:?}");
            assert!(!client.passes(&quotas, now).await, "{algorithm:?}");
        }
        assert!(client.passes(&quotas, at(10 + 65)).await, "{algorithm:?}");
    }
}

async fn a_changed_plan_keeps_what_was_used(make: Make<'_>) {
    let client = Client::new(make);
    let plan = |limit| [Quota::named("minute", limit, MINUTE)];
    for _ in 0..3 {
        assert!(client.passes(&plan(3), START).await);
    }
    assert!(!client.passes(&plan(3), START).await);
    assert!(client.passes(&plan(5), START).await);
    assert_eq!(client.remaining(&plan(5), START).await, [1]);
    assert!(!client.passes(&plan(2), START).await, "four were used, more than the new limit");
}

async fn a_quota_in_shadow_refuses_nothing(make: Make<'_>) {
    for algorithm in Algorithm::ALL {
        for per in [Per::Account, Per::Key] {
            let client = Client::new(make);
            let shadow = Quota::new("shadow", 2, MINUTE).counted(algorithm).each(per).in_shadow();
            let quotas = [shadow.clone(), Quota::new("enforced", 5, MINUTE)];
            for round in 1..=5 {
                for (cost, taking) in [(1, Nothing), (1, IfRoom)] {
                    let verdict = client.ask(&quotas, &[], cost, taking, START).await;
                    assert_eq!(verdict.retry_after(), None, "{algorithm:?} {round}");
                    assert_eq!(verdict.would_refuse(0), round > 2, "{algorithm:?} {round}");
                    assert!(!verdict.would_refuse(1));
                }
            }
            assert_eq!(client.remaining(&quotas, START).await, [0, 0], "{algorithm:?}");
            // What others refuse is nothing that the shadow refuses; nor is what is taken anyway.
            for (cost, taking, passes) in
                [(1, IfRoom, false), (0, Nothing, true), (1, Always, true)]
            {
                let verdict = client.ask(&quotas, &[], cost, taking, START).await;
                assert_eq!(verdict.retry_after().is_none(), passes, "{algorithm:?} {taking:?}");
                assert_eq!(verdict.shadow_refusals().count(), 0, "{algorithm:?} {taking:?}");
            }
            // Only enforced does it refuse, and then it knows what was used.
            let enforced = [Quota::new("shadow", 2, MINUTE).counted(algorithm).each(per)];
            assert!(!client.passes(&enforced, START).await, "{algorithm:?}");
        }
    }
}

/// It takes nothing for a request that it would refuse, nor for one that others refuse.
async fn a_quota_in_shadow_counts_as_if_it_refused(make: Make<'_>) {
    for algorithm in Algorithm::ALL {
        let client = Client::new(make);
        let quotas = [
            Quota::new("enforced", 20, MINUTE),
            Quota::new("shadow", 10, MINUTE).counted(algorithm).in_shadow(),
            Quota::new("other", 12, MINUTE).counted(algorithm).in_shadow(),
        ];
        for (cost, taking, passes, would_refuse, left) in [
            (7, IfRoom, true, &[][..], [13, 3, 5]),
            (4, IfRoom, true, &[1], [9, 3, 1]),
            (10, IfRoom, false, &[], [9, 3, 1]),
            (4, IfRoom, true, &[1, 2], [5, 3, 1]),
            (4, Nothing, true, &[1, 2], [5, 3, 1]),
            (3, IfRoom, true, &[2], [2, 0, 1]),
            (1, Always, true, &[], [1, 0, 0]),
            (1, IfRoom, true, &[1, 2], [0, 0, 0]),
        ] {
            let verdict = client.ask(&quotas, &[], cost, taking, START).await;
            assert_eq!(verdict.retry_after().is_none(), passes, "{algorithm:?} {cost}");
            assert!(verdict.shadow_refusals().eq(would_refuse.iter().copied()), "{verdict:?}");
            let remaining = verdict.standings().iter().map(Standing::remaining);
            assert!(remaining.eq(left), "{algorithm:?} {cost} {verdict:?}");
        }
    }
}

/// Whatever came when, a day has its limit and a month has its own.
async fn days_and_months_end_at_midnight(make: Make<'_>) {
    let client = Client::new(make);
    let quotas = [Quota::by_day("day", 3), Quota::by_month("month", 5)];
    let standing =
        |limit, remaining, seconds| Standing::new(limit, remaining, Duration::from_secs(seconds));
    let first = client.take(&quotas, START).await;
    assert_eq!(first.standings(), [standing(3, 2, TO_MIDNIGHT), standing(5, 4, TO_OCTOBER)]);
    assert!(client.passes(&quotas, at(TO_MIDNIGHT - 1)).await);
    assert!(client.passes(&quotas, at(TO_MIDNIGHT - 1)).await);
    let refused = client.take(&quotas, at(TO_MIDNIGHT - 1)).await;
    assert_eq!(refused.retry_after(), Some(Duration::from_secs(1)));
    assert!(client.passes(&quotas, at(TO_MIDNIGHT)).await, "a new day");
    let last = client.take(&quotas, at(TO_MIDNIGHT)).await;
    let day = 24 * 3_600;
    assert_eq!(last.standings(), [standing(3, 1, day), standing(5, 0, TO_OCTOBER - TO_MIDNIGHT)]);
    let refused = client.take(&quotas, at(TO_OCTOBER - 1)).await;
    assert_eq!(refused.retry_after(), Some(Duration::from_secs(1)), "the month is used up");
    let october = client.take(&quotas, at(TO_OCTOBER)).await;
    assert_eq!(october.standings(), [standing(3, 2, day), standing(5, 4, 31 * day)]);
}

async fn instants_out_of_order_begin_no_day_twice(make: Make<'_>) {
    for (quota, ends) in
        [(Quota::by_day("calls", 10), TO_MIDNIGHT), (Quota::by_month("calls", 10), TO_OCTOBER)]
    {
        let (client, quotas) = (Client::new(make), [quota]);
        assert!(client.passes(&quotas, START).await);
        let (mut passed, next) = (0, at(ends).unix_nanoseconds());
        for _ in 0..200 {
            for early in [0, 1, 700_000_000] {
                let now = Timestamp::from_unix_nanoseconds(next - early);
                passed += u32::from(client.passes(&quotas, now).await);
            }
        }
        assert_eq!(passed, 10, "what came late counts for the period that had begun");
    }
}

async fn a_clock_set_back_locks_nobody_out(make: Make<'_>) {
    for (algorithm, at_most) in [
        (Algorithm::FixedWindow, 60),
        (Algorithm::LeakyBucket, 60),
        (Algorithm::SlidingWindow, 65),
        (Algorithm::CalendarDay, TO_MIDNIGHT),
        (Algorithm::CalendarMonth, TO_OCTOBER),
    ] {
        let client = Client::new(make);
        let quotas = [Quota::new("minute", 1, MINUTE).counted(algorithm)];
        assert!(client.passes(&quotas, at(1_000_000)).await);
        let verdict = client.take(&quotas, at(0)).await;
        assert!(verdict.retry_after() <= Some(Duration::from_secs(at_most)), "{algorithm:?}");
        assert!(client.passes(&quotas, at(at_most)).await, "{algorithm:?}");
    }
}

/// Requests read the clock before they meet in the limiter, so instants arrive out of order.
async fn instants_out_of_order_free_nothing(make: Make<'_>) {
    for algorithm in Algorithm::ALL {
        let client = Client::new(make);
        let quotas = [Quota::new("minute", 10, MINUTE).counted(algorithm)];
        let (mut passed, edge) = (0, at(5));
        for _ in 0..200 {
            for early in [0, 1, 700_000_000] {
                let now = Timestamp::from_unix_nanoseconds(edge.unix_nanoseconds() - early);
                passed += u32::from(client.passes(&quotas, now).await);
            }
        }
        assert_eq!(passed, 10, "{algorithm:?}");
    }
}

async fn equal_key_ids_of_two_accounts_share_nothing(make: Make<'_>) {
    let mut client = Client::new(make);
    client.key = "default";
    let quotas = [Quota::new("minute", 1, MINUTE).each(Per::Key)];
    for account in (0..200).map(|number| format!("account_{number}")) {
        client.account = account.leak();
        assert!(client.passes(&quotas, START).await, "{}", client.account);
    }
}

/// Records remember where a limiter counts them; another limiter must not be misled.
async fn two_limiters_share_nothing(make: Make<'_>) {
    let (one, other) = (make(), make());
    let quotas = [Quota::new("minute", 1, MINUTE)];
    let records: Vec<KeyRecord> = (0..50)
        .map(|number| {
            let account = Account::builder(format!("account_{number}")).build().unwrap();
            KeyRecord::builder("key", Arc::new(account)).build().unwrap()
        })
        .collect();
    for round in 0..3 {
        // In another order, so that places differ.
        for (limiter, record) in records
            .iter()
            .map(|record| (&one, record))
            .chain(records.iter().rev().map(|r| (&other, r)))
        {
            let quotas = Applicable { general: &quotas, route: &[] };
            let charge = Charge { record, quotas, cost: 1, taking: IfRoom, now: START };
            let verdict = limiter.charge(charge).await.unwrap();
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
async fn a_routes_quotas_come_and_go(make: Make<'_>) {
    let client = Client::new(make);
    let general = [Quota::new("minute", 100, MINUTE)];
    let routes = ["a", "b", "c"].map(|name| [Quota::new(name, 10, MINUTE)]);
    for round in 1..=10 {
        for (number, route) in (1..).zip(&routes) {
            let verdict = client.ask(&general, route, 1, IfRoom, START).await;
            let remaining: Vec<u32> = verdict.standings().iter().map(Standing::remaining).collect();
            assert_eq!(remaining, [100 - (round - 1) * 3 - number, 10 - round]);
        }
        assert_eq!(client.remaining(&general, START).await, [100 - round * 3]);
    }
    for route in &routes {
        assert!(client.ask(&general, route, 1, IfRoom, START).await.retry_after().is_some());
    }
}

/// However many threads ask at once, for known accounts and new ones, exactly the limit passes.
fn threads_take_exactly_the_limit(make: Make<'_>) {
    const THREADS: usize = 4;
    const LIMIT: u32 = 500;
    for algorithm in Algorithm::ALL {
        let limiter = make();
        let quotas = [
            Quota::new("account", LIMIT, MINUTE).counted(algorithm),
            Quota::new("key", LIMIT, MINUTE).counted(algorithm).each(Per::Key),
        ];
        let accounts = ["acme", "other", "third"].map(|id| {
            let account = Arc::new(Account::builder(id).build().unwrap());
            KeyRecord::builder("key", account).build().unwrap()
        });
        let passed = |record: &KeyRecord| {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            let once = || {
                let quotas = Applicable { general: &quotas, route: &[] };
                let charge = Charge { record, quotas, cost: 1, taking: IfRoom, now: START };
                runtime.block_on(limiter.charge(charge)).unwrap().retry_after().is_none()
            };
            (0..LIMIT).filter(|_| once()).count()
        };
        let each: Vec<[usize; 3]> = std::thread::scope(|scope| {
            let workers = [(); THREADS].map(|()| {
                let (accounts, passed) = (&accounts, &passed);
                scope.spawn(move || std::array::from_fn(|index| passed(&accounts[index])))
            });
            workers.into_iter().map(|worker| worker.join().unwrap()).collect()
        });
        for index in 0..accounts.len() {
            let total: usize = each.iter().map(|counts| counts[index]).sum();
            assert_eq!(total, LIMIT as usize, "{algorithm:?}");
        }
    }
}
