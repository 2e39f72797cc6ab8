//! Every combination of the parts of a filter, and keys for them.

use std::iter;

use crate::SqlStore;
use crate::statement::Statement;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{Account, KeyHasher, KeyRecord, SecretTail};
use tower_api_key::store::{KeyFilter, KeyManager, KeyOrder, KeyState, NewKey};

/// The instant of the lists. Key number `n` of those that expire does so `n` seconds after 1970.
pub(super) const NOW: Timestamp = Timestamp::from_unix_seconds(10_000);

/// Returns key number `number`. Each part of a filter matches one in two, three, … keys.
pub(super) fn key(number: u32) -> KeyRecord {
    let one_in = |count: u32| number.is_multiple_of(count);
    let account = format!("account_{}", number % 5);
    let account = Account::builder(account).disabled(number % 5 == 4).build().unwrap();
    let name = format!("{} {number:05}", if one_in(7) { "backup" } else { "worker" });
    let mut record = KeyRecord::builder(format!("key_{number:05}"), account)
        .name(name)
        .environment(if one_in(3) { "test" } else { "live" })
        .metadata("tier", if one_in(2) { "gold" } else { "free" })
        .revoked(one_in(11))
        .disabled(one_in(13));
    if one_in(4) {
        record = record.owner("ada");
    }
    if !one_in(3) {
        record = record.kind(if one_in(2) { "robot" } else { "person" });
    }
    if !one_in(5) {
        record = record.expires(Timestamp::from_unix_seconds(u64::from(number) * 17 % 20_000));
    }
    record.build().unwrap()
}

/// Returns the tail of the secret of a key. One in six has the same.
pub(super) fn tail(number: u32) -> SecretTail {
    SecretTail::new(if number.is_multiple_of(6) { "same" } else { "else" }).unwrap()
}

/// Adds this many keys.
pub(super) async fn fill(store: &SqlStore, count: u32) {
    let new = |number: u32| {
        let digest = KeyHasher::sha256().digest(&number.to_be_bytes());
        let mut key = NewKey::new(digest, key(number));
        key.tail = Some(tail(number));
        key
    };
    for chunk in (0..count).collect::<Vec<_>>().chunks(5_000) {
        store.import(chunk.iter().copied().map(new).collect(), "test").await.unwrap();
    }
    let mut connection = store.pool.acquire().await.unwrap();
    connection.execute(Statement::from("ANALYZE")).await.unwrap();
}

/// Returns each state with each order and each subset of the other parts: 3,840 filters.
pub(super) fn all() -> impl Iterator<Item = KeyFilter> {
    let states = iter::once(None).chain(KeyState::ALL.map(Some));
    let orders = [KeyOrder::Id, KeyOrder::Name, KeyOrder::Expiry];
    states
        .flat_map(move |state| {
            orders
                .into_iter()
                .flat_map(move |order| (0..256_u32).map(move |parts| (state, order, parts)))
        })
        .map(|(state, order, parts)| {
            let part = |bit: u32, text: &str| (parts >> bit & 1 == 1).then(|| text.to_owned());
            KeyFilter {
                account: part(0, "account_1"),
                owner: part(1, "ada"),
                kind: part(2, "robot"),
                environment: part(3, "live"),
                tag: part(4, "tier").map(|name| (name, "gold".to_owned())),
                name_prefix: part(5, "backup"),
                expires_before: part(6, "").map(|_| Timestamp::from_unix_seconds(15_000)),
                tail: part(7, "").map(|_| tail(0)),
                state,
                order,
            }
        })
}
