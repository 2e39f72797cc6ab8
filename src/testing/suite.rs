//! The suite.

use super::{accounts, keys, secrets};
use crate::store::KeyManager;

/// Holds an empty store to every promise of [`KeyManager`] and [`KeyStore`](crate::store::KeyStore).
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
/// At the first promise that is broken, and at once if the store is not empty.
pub async fn store_suite(store: &dyn KeyManager) {
    keys::the_store_is_empty(store).await;
    secrets::all_256_bits_count(store).await;
    secrets::one_secret_has_one_key(store).await;
    secrets::a_rotated_key_has_two_secrets(store).await;
    secrets::what_holds_for_a_key_holds_for_all_its_secrets(store).await;
    secrets::uses_are_noted(store).await;
    keys::everything_set_comes_back(store).await;
    keys::lists_are_filtered(store).await;
    keys::lists_are_paged(store).await;
    keys::no_update_is_lost(store).await;
    keys::an_update_holds_whole_or_not_at_all(store).await;
    keys::a_revoked_key_stays_revoked(store).await;
    keys::a_deleted_key_stays_deleted(store).await;
    keys::force_revokes_the_owners_others(store).await;
    keys::an_import_adds_what_is_new(store).await;
    accounts::keys_inherit_from_their_account(store).await;
    accounts::a_deleted_account_takes_its_keys(store).await;
    accounts::accounts_are_paged(store).await;
    accounts::the_trail_has_a_line_for_each_change(store).await;
}
