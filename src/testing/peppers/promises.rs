//! The list of the promises, and the macro that writes their tests.

use super::super::fresh::{Make, Maker};
use super::super::promise::{Promise, list, run};
use super::{digests, usage};
use crate::store::PepperManager;

/// The promises of a [`PepperManager`], besides those of a [`KeyManager`](crate::store::KeyManager). Each is one test
/// of [`pepper_tests!`](crate::pepper_tests).
pub const PEPPER_PROMISES: &[Promise<dyn PepperManager>] = crate::__pepper_promises!([list]);

/// Writes one test for each promise of a [`PepperManager`](crate::store::PepperManager), besides those of
/// [`store_tests!`](crate::store_tests). The argument is the same as there.
///
/// ```
/// use tower_api_key::store::MemoryStore;
///
/// tower_api_key::pepper_tests!(MemoryStore::new);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! pepper_tests {
    ($make:expr $(,)?) => {
        $crate::__pepper_promises! {
            [$crate::__promise_tests] $crate::testing::__check_peppers, $make;
        }
    };
}

/// Passes the promises of a `PepperManager` to another macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __pepper_promises {
    ([$($then:tt)+] $($given:tt)*) => {
        $($then)+! {
            $($given)*
            digests::a_rehashed_secret_is_one_secret_with_two_digests,
            digests::a_change_holds_for_both_digests,
            digests::a_rotation_ends_both_digests,
            digests::a_revoked_or_deleted_key_has_neither_digest,
            digests::a_secret_gets_one_digest_however_often_it_is_asked_for,
            digests::a_taken_digest_is_given_to_no_other_secret,
            digests::an_old_secret_keeps_its_end,
            digests::a_step_back_gives_the_former_digest_back,
            digests::each_digest_is_written_to_the_trail,
            usage::secrets_are_counted_by_pepper,
            usage::what_has_ended_needs_no_pepper,
            usage::a_use_by_a_former_digest_is_one_of_the_secret,
        }
    };
}

/// Checks one promise on a new store.
#[doc(hidden)]
pub fn __check_peppers<How>(promise: &str, make: impl Make<dyn PepperManager, (), How>) {
    let make = Maker::new(make);
    run(PEPPER_PROMISES, promise, async |promise| {
        let made = make.fresh(()).await;
        let Some(store) = made.subject() else { return };
        promise.check(store).await;
    });
}
