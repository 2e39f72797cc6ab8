//! The list of the promises, and the macro that writes their tests.

use super::super::fresh::{Make, Maker};
use super::super::promise::{Promise, list, run};
use super::{bounds, charging, instants, networks, refunds, shadow, subjects, threads};
use crate::limits::Limiter;

/// The promises of a [`Limiter`]. Each is one test of [`limiter_tests!`](crate::limiter_tests).
pub const LIMITER_PROMISES: &[Promise<Maker<dyn Limiter>>] = crate::__limiter_promises!([list]);

/// Writes one test for each promise of a [`Limiter`](crate::limits::Limiter).
///
/// The argument is a function or a closure, async or not, that makes a limiter without any counts. A test
/// calls it once for each limiter that it needs. [`Fresh`](crate::testing::Fresh) lists what it may return.
///
/// No test waits. Each test passes the instant in [`Charge::now`](crate::limits::Charge::now). If your
/// limiter usually reads another clock, such as a server's, make it use that instant for the tests.
///
/// ```
/// mod in_memory {
///     use tower_api_key::limits::MemoryLimiter;
///
///     tower_api_key::limiter_tests!(MemoryLimiter::new);
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! limiter_tests {
    ($make:expr $(,)?) => {
        $crate::__limiter_promises! {
            [$crate::__promise_tests] $crate::testing::__check_limiter, $make;
        }
    };
}

/// Passes the promises of a `Limiter` to another macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __limiter_promises {
    ([$($then:tt)+] $($given:tt)*) => {
        $($then)+! {
            $($given)*
            charging::all_windows_are_charged_or_none,
            charging::a_refused_request_makes_no_window_longer,
            charging::remaining_and_reset_are_exact,
            subjects::accounts_and_keys_are_counted_apart,
            subjects::a_route_has_counters_of_its_own,
            charging::a_cost_is_taken_whole_or_not_at_all,
            charging::asking_takes_nothing,
            charging::a_cost_found_afterwards_is_taken_even_without_room,
            charging::a_cost_beyond_all_numbers_saturates,
            charging::a_changed_plan_keeps_what_was_used,
            instants::days_and_months_end_at_midnight,
            shadow::a_quota_in_shadow_refuses_nothing,
            shadow::a_quota_in_shadow_counts_as_if_it_refused,
            refunds::a_refund_gives_back_what_was_taken,
            refunds::a_refund_never_leaves_more_than_the_limit,
            refunds::a_window_that_is_over_gets_nothing_back,
            refunds::a_bucket_gives_back_what_has_not_drained,
            refunds::a_refund_frees_nothing_that_ran_over,
            refunds::a_quota_in_shadow_gets_back_what_it_took,
            instants::a_clock_set_back_locks_nobody_out,
            instants::instants_out_of_order_begin_no_day_twice,
            instants::instants_out_of_order_free_nothing,
            subjects::equal_key_ids_of_two_accounts_share_nothing,
            subjects::two_limiters_share_nothing,
            subjects::a_routes_quotas_come_and_go,
            networks::networks_are_counted_apart,
            networks::networks_are_charged_as_accounts_are,
            networks::no_account_is_counted_as_a_network,
            networks::a_network_gets_a_refund_as_an_account_does,
            networks::a_flood_of_networks_frees_no_quota,
            threads::threads_take_exactly_the_limit,
            bounds::no_span_has_more_than_the_bound,
            bounds::the_bounds_are_reached,
            bounds::a_calendars_periods_pass_exactly_the_limit,
        }
    };
}

/// Checks one promise on new limiters.
#[doc(hidden)]
pub fn __check_limiter<How>(promise: &str, make: impl Make<dyn Limiter, (), How>) {
    let make = Maker::new(make);
    run(LIMITER_PROMISES, promise, async |promise| {
        if make.fresh(()).await.subject().is_some() {
            promise.check(&make).await;
        }
    });
}
