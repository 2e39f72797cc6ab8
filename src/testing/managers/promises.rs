//! The list of the promises, and the macro that writes their tests.

use super::super::fresh::{Make, Maker};
use super::super::promise::{Promise, list, run};
use super::{
    accounts, commands, keys, lists, longest_texts, most_keys, policies, policy_changes, secrets,
    trail, updates,
};
use crate::store::KeyManager;

/// The promises of a [`KeyManager`]. Each is one test of [`store_tests!`](crate::store_tests).
///
/// Check a promise alone on an empty store, or all of them on the same store in this order.
pub const STORE_PROMISES: &[Promise<dyn KeyManager>] = crate::__store_promises!([list]);

/// Writes one test for each promise of a [`KeyManager`](crate::store::KeyManager).
///
/// The argument is a function or a closure, async or not, that makes an empty store. It is called once for
/// each test. [`Fresh`](crate::testing::Fresh) lists what it may return.
///
/// Each test runs in a tokio runtime with one thread, timers and sockets. The tests write and delete keys and
/// accounts.
///
/// ```
/// # struct Folder;
/// # impl Folder { fn new() -> Self { Self } }
/// mod in_memory {
///     use tower_api_key::store::MemoryStore;
///
///     tower_api_key::store_tests!(MemoryStore::new);
/// }
///
/// mod in_a_folder {
///     use tower_api_key::store::MemoryStore;
///
///     /// The store is dropped before its folder.
///     async fn make_store() -> (MemoryStore, super::Folder) {
///         (MemoryStore::new(), super::Folder::new())
///     }
///
///     tower_api_key::store_tests!(make_store);
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! store_tests {
    ($make:expr $(,)?) => {
        $crate::__store_promises! {
            [$crate::__promise_tests] $crate::testing::__check_store, $make;
        }
    };
}

/// Passes the promises of a `KeyManager` to another macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __store_promises {
    ([$($then:tt)+] $($given:tt)*) => {
        $($then)+! {
            $($given)*
            keys::the_store_is_empty,
            secrets::all_256_bits_count,
            secrets::one_secret_has_one_key,
            secrets::a_rotated_key_has_two_secrets,
            secrets::what_holds_for_a_key_holds_for_all_its_secrets,
            secrets::uses_are_noted,
            secrets::a_key_has_at_most_eight_valid_secrets,
            keys::everything_set_comes_back,
            lists::lists_are_filtered,
            lists::lists_are_paged,
            lists::lists_have_the_order_of_the_filter,
            lists::keys_are_found_by_the_tails_of_their_secrets,
            updates::no_update_is_lost,
            updates::an_update_holds_whole_or_not_at_all,
            updates::a_revoked_key_stays_revoked,
            secrets::only_keys_that_serve_are_rotated,
            keys::a_deleted_key_stays_deleted,
            keys::force_revokes_the_owners_others,
            keys::an_import_adds_what_is_new,
            accounts::keys_inherit_from_their_account,
            accounts::accounts_are_on_plans,
            accounts::a_deleted_account_takes_its_keys,
            accounts::accounts_are_paged,
            trail::the_trail_has_a_line_for_each_change,
            trail::the_trail_of_a_key_is_paged_from_its_end,
            trail::no_line_is_forged,
            commands::a_change_under_an_old_version_is_refused,
            commands::of_two_new_accounts_with_one_id_only_the_first_is_saved,
            commands::a_command_that_is_sent_again_is_made_once,
            commands::the_trail_shows_why_and_what,
            commands::a_refund_of_quota_has_a_line,
            commands::a_key_may_require_that_its_account_exists,
            most_keys::an_owner_has_no_more_keys_than_allowed,
            policy_changes::policies_come_back_as_they_were_saved,
            policies::a_new_key_obeys_the_policies,
            policies::a_changed_key_obeys_the_policies,
            policies::an_account_has_no_more_keys_than_a_policy_allows,
            policies::an_import_obeys_the_policies,
            policy_changes::of_two_changes_of_a_policy_only_the_first_is_made,
            policy_changes::the_trail_shows_changes_of_policies,
            secrets::no_rotation_keeps_a_secret_beyond_its_longest_life,
            longest_texts::the_longest_texts_are_kept,
            secrets::earlier_secrets_end_and_the_newest_works_on,
        }
    };
}

/// Checks one promise on a new store.
#[doc(hidden)]
pub fn __check_store<How>(promise: &str, make: impl Make<dyn KeyManager, (), How>) {
    let make = Maker::new(make);
    run(STORE_PROMISES, promise, async |promise| {
        let made = make.fresh(()).await;
        let Some(store) = made.subject() else { return };
        keys::the_store_is_empty(store).await;
        promise.check(store).await;
    });
}

/// Checks every promise of a [`KeyManager`] on one empty store. Prefer [`store_tests!`](crate::store_tests),
/// which has a test for each promise.
///
/// ```
/// use tower_api_key::store::MemoryStore;
/// use tower_api_key::testing::store_suite;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// store_suite(&MemoryStore::new()).await;
/// # }
/// ```
///
/// # Panics
///
/// At the first broken promise, which the message names. The first promise is that the store is empty.
pub async fn store_suite(store: &dyn KeyManager) {
    for promise in STORE_PROMISES {
        promise.check(store).await;
    }
}
