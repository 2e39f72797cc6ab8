//! The suite.

#![allow(clippy::panic)] // A broken promise is told by a panic.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use super::{accounts, keys, secrets};
use crate::store::KeyManager;

/// Holds a store to promises, one after the other.
macro_rules! hold {
    ($store:ident to $($room:ident::$promise:ident,)*) => {
        $(keep(stringify!($promise), $room::$promise($store)).await;)*
    };
}

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
/// At the first promise that is broken, which the message names, and at once if the store is not
/// empty.
pub async fn store_suite(store: &dyn KeyManager) {
    hold! { store to
        keys::the_store_is_empty,
        secrets::all_256_bits_count,
        secrets::one_secret_has_one_key,
        secrets::a_rotated_key_has_two_secrets,
        secrets::what_holds_for_a_key_holds_for_all_its_secrets,
        secrets::uses_are_noted,
        keys::everything_set_comes_back,
        keys::lists_are_filtered,
        keys::lists_are_paged,
        keys::no_update_is_lost,
        keys::an_update_holds_whole_or_not_at_all,
        keys::a_revoked_key_stays_revoked,
        secrets::only_keys_that_serve_are_rotated,
        keys::a_deleted_key_stays_deleted,
        keys::force_revokes_the_owners_others,
        keys::an_import_adds_what_is_new,
        accounts::keys_inherit_from_their_account,
        accounts::accounts_are_on_plans,
        accounts::a_deleted_account_takes_its_keys,
        accounts::accounts_are_paged,
        accounts::the_trail_has_a_line_for_each_change,
        keys::no_line_is_forged,
    }
}

/// Runs a promise, and says its name if it is broken.
async fn keep(name: &str, promise: impl Future<Output = ()>) {
    let mut promise = pin!(promise);
    let kept = poll_fn(|context| {
        match catch_unwind(AssertUnwindSafe(|| promise.as_mut().poll(context))) {
            Ok(polled) => polled.map(Ok),
            Err(cause) => Poll::Ready(Err(cause)),
        }
    });
    if let Err(cause) = kept.await {
        panic!("the promise `{name}` is broken: {}", message(&*cause));
    }
}

fn message(cause: &(dyn Any + Send)) -> &str {
    let owned = cause.downcast_ref::<String>().map(String::as_str);
    owned.or(cause.downcast_ref::<&str>().copied()).unwrap_or("it panicked")
}
