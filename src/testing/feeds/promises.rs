//! The list of the promises, and the macro that writes their tests.

use super::managed::ManagedFeed;
use super::{histories, reports};
use crate::testing::fresh::{Make, Maker};
use crate::testing::promise::{Promise, list, run};

/// The promises of a [`KeyFeed`](crate::store::KeyFeed). Each is one test of [`feed_tests!`](crate::feed_tests):
///
/// * `a_new_store_can_be_read`
/// * `pages_hold_every_secret`
/// * `pages_of_an_account_hold_its_secrets`
/// * `every_change_is_reported`
/// * `accounts_are_followed`
/// * `without_changes_the_position_stays`
/// * `changes_while_pages_are_read_are_not_lost`
/// * `changes_are_reported_since_any_position`
/// * `another_history_is_told_apart`
/// * `nothing_is_missed_while_others_write`
pub const FEED_PROMISES: &[Promise<Maker<dyn ManagedFeed>>] = crate::__feed_promises!([list]);

/// Writes one test for each promise of a [`KeyFeed`](crate::store::KeyFeed) whose store is a
/// [`KeyManager`](crate::store::KeyManager), too.
///
/// The argument is a function or a closure, async or not, that makes an empty store.
/// [`Fresh`](crate::testing::Fresh) lists what it may return. A test calls it once for each store that it needs. Two
/// stores of one test must not share their keys.
///
/// Each test runs in a tokio runtime with one thread, timers and sockets.
///
/// ```ignore
/// tower_api_key::feed_tests!(make_store);
/// ```
#[macro_export]
macro_rules! feed_tests {
    ($make:expr $(,)?) => {
        $crate::__feed_promises! {
            [$crate::__promise_tests] $crate::testing::__check_feed, $make;
        }
    };
}

/// Passes the promises of a `KeyFeed` to another macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __feed_promises {
    ([$($then:tt)+] $($given:tt)*) => {
        $($then)+! {
            $($given)*
            reports::a_new_store_can_be_read,
            reports::pages_hold_every_secret,
            reports::pages_of_an_account_hold_its_secrets,
            reports::every_change_is_reported,
            reports::accounts_are_followed,
            reports::without_changes_the_position_stays,
            histories::changes_while_pages_are_read_are_not_lost,
            histories::changes_are_reported_since_any_position,
            histories::another_history_is_told_apart,
            histories::nothing_is_missed_while_others_write,
        }
    };
}

/// Checks one promise on new stores.
#[doc(hidden)]
pub fn __check_feed<How>(promise: &str, make: impl Make<dyn ManagedFeed, (), How>) {
    let make = Maker::new(make);
    run(FEED_PROMISES, promise, async |promise| {
        if make.fresh(()).await.subject().is_some() {
            promise.check(&make).await;
        }
    });
}
