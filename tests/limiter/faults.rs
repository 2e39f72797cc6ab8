//! The kit of limiters can fail: a sound limiter with any one planted fault does not pass it.

use tower_api_key::limits::Limiter;
use tower_api_key::testing::{LIMITER_PROMISES, Maker};

use crate::faulty::Faulty;
use crate::is_broken;

/// What is wrong with a limiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    QuotasAreChargedOneByOne,
    RefusedRequestsCount,
    ResetsAreRounded,
    KeysCountAsTheirAccount,
    RoutesShareAccountsCounters,
    ACostIsTakenInPart,
    AskingTakes,
    LaterCostsAreRefused,
    CostsOverflow,
    APlanForgetsWhatWasUsed,
    DaysBeginWithTheFirstRequest,
    DaysPassOneMore,
    ShadowsRefuse,
    ShadowsCountNothing,
    TimeNeverGoesBack,
    EarlierInstantsBeginAnew,
    AccountsCountTogether,
    LimitersShareCounters,
    AnotherRouteForgetsTheRest,
    NetworksCountTogether,
    NetworksAreNotCounted,
    NetworksCountAsAccounts,
    NetworksTakeTheRoomOfAccounts,
    ThreadsRace,
    SlidingIsFixed,
    FixedIsSliding,
    RefundsAreLost,
    RefundsRaiseTheLimit,
    RefundsIgnoreTheTime,
    RefundsReachShadows,
    CostsThatRunOverAreForgotten,
    RefundsOfNetworksAreLost,
}

/// Each fault with the promise that it breaks, maybe among others.
const FAULTS: &[(Fault, &str)] = &[
    (Fault::QuotasAreChargedOneByOne, "all_windows_are_charged_or_none"),
    (Fault::RefusedRequestsCount, "a_refused_request_makes_no_window_longer"),
    (Fault::ResetsAreRounded, "remaining_and_reset_are_exact"),
    (Fault::KeysCountAsTheirAccount, "accounts_and_keys_are_counted_apart"),
    (Fault::RoutesShareAccountsCounters, "a_route_has_counters_of_its_own"),
    (Fault::ACostIsTakenInPart, "a_cost_is_taken_whole_or_not_at_all"),
    (Fault::AskingTakes, "asking_takes_nothing"),
    (Fault::LaterCostsAreRefused, "a_cost_found_afterwards_is_taken_even_without_room"),
    (Fault::CostsOverflow, "a_cost_beyond_all_numbers_saturates"),
    (Fault::APlanForgetsWhatWasUsed, "a_changed_plan_keeps_what_was_used"),
    (Fault::DaysBeginWithTheFirstRequest, "days_and_months_end_at_midnight"),
    (Fault::DaysPassOneMore, "a_calendars_periods_pass_exactly_the_limit"),
    (Fault::ShadowsRefuse, "a_quota_in_shadow_refuses_nothing"),
    (Fault::ShadowsCountNothing, "a_quota_in_shadow_counts_as_if_it_refused"),
    (Fault::TimeNeverGoesBack, "a_clock_set_back_locks_nobody_out"),
    (Fault::EarlierInstantsBeginAnew, "instants_out_of_order_begin_no_day_twice"),
    (Fault::EarlierInstantsBeginAnew, "instants_out_of_order_free_nothing"),
    (Fault::AccountsCountTogether, "equal_key_ids_of_two_accounts_share_nothing"),
    (Fault::LimitersShareCounters, "two_limiters_share_nothing"),
    (Fault::AnotherRouteForgetsTheRest, "a_routes_quotas_come_and_go"),
    (Fault::ThreadsRace, "threads_take_exactly_the_limit"),
    (Fault::NetworksCountTogether, "networks_are_counted_apart"),
    (Fault::NetworksAreNotCounted, "networks_are_charged_as_accounts_are"),
    (Fault::NetworksCountAsAccounts, "no_account_is_counted_as_a_network"),
    (Fault::NetworksTakeTheRoomOfAccounts, "a_flood_of_networks_frees_no_quota"),
    (Fault::SlidingIsFixed, "no_span_has_more_than_the_bound"),
    (Fault::FixedIsSliding, "the_bounds_are_reached"),
    (Fault::RefundsAreLost, "a_refund_gives_back_what_was_taken"),
    (Fault::RefundsRaiseTheLimit, "a_refund_never_leaves_more_than_the_limit"),
    (Fault::RefundsIgnoreTheTime, "a_window_that_is_over_gets_nothing_back"),
    (Fault::RefundsIgnoreTheTime, "a_bucket_gives_back_what_has_not_drained"),
    (Fault::CostsThatRunOverAreForgotten, "a_refund_frees_nothing_that_ran_over"),
    (Fault::RefundsReachShadows, "a_quota_in_shadow_gets_back_what_it_took"),
    (Fault::RefundsOfNetworksAreLost, "a_network_gets_a_refund_as_an_account_does"),
];

fn maker(fault: Fault) -> Maker<dyn Limiter> {
    Maker::new(move || Faulty::new(fault))
}

#[test]
fn the_wrapper_itself_keeps_every_promise() {
    let make = maker(Fault::None);
    for promise in LIMITER_PROMISES {
        assert!(!is_broken(promise, &make), "{}", promise.name());
    }
}

#[test]
fn every_planted_fault_breaks_its_promise() {
    for (fault, name) in FAULTS {
        let promise = LIMITER_PROMISES.iter().find(|promise| promise.name() == *name).unwrap();
        assert!(is_broken(promise, &maker(*fault)), "{fault:?} does not break {name}");
    }
}

#[test]
fn every_promise_is_broken_by_some_fault() {
    let told = |name: &&str| !FAULTS.iter().any(|(_, promise)| promise == name);
    let names = LIMITER_PROMISES.iter().map(tower_api_key::testing::Promise::name);
    assert_eq!(names.filter(told).collect::<Vec<_>>(), [""; 0]);
}
