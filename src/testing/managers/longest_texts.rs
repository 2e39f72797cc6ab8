//! Checks that a store keeps the longest texts that a record, an author and a request can have.

use super::support::{BY, add_with, digest, done, entry, is_invalid, new_key};
use crate::key::{KeyRecordBuilder, MAX_LONG_TEXT_BYTES, MAX_TEXT_BYTES};
use crate::store::{Command, CommandOptions, IdempotencyKey, KeyFilter, KeyManager, KeyOrder};

/// The longest name of an account, a kind, an environment and the like.
const LONGEST_NAME: usize = 255;

/// Writes a text that no database can compress. Texts of other seeds differ.
fn text(seed: u8, bytes: usize) -> String {
    let mut block = digest(&seed.to_string());
    let mut text = String::new();
    while text.len() < bytes {
        let more = block.to_hex();
        block = digest(&more);
        text.push_str(&more);
    }
    text.truncate(bytes);
    text
}

/// Every text by which a store finds something is in an index of some store.
pub(super) async fn the_longest_texts_are_kept(store: &dyn KeyManager) {
    let name = |seed| text(seed, LONGEST_NAME);
    let (id, account) = (name(1), name(2));
    let [called, tag, value] = [3, 4, 5].map(|seed| text(seed, MAX_TEXT_BYTES));
    let describe = |key: KeyRecordBuilder| {
        key.name(&called)
            .metadata(&tag, &value)
            .description(text(6, MAX_LONG_TEXT_BYTES))
            .owner(name(7))
            .kind(name(8))
            .environment(name(9))
            .audience(name(10))
            .scopes([name(11)])
    };
    for revoked in [false, true] {
        let id = if revoked { name(12) } else { id.clone() };
        let describe = |key| describe(key).revoked(revoked);
        add_with(store, &id, &account, describe).await;
        let kept = entry(store, &id).await.record;
        assert_eq!(kept.name(), called, "the longest name");
        assert_eq!(kept.metadata(&tag), Some(&*value), "the longest metadata");
        assert_eq!(kept.description().len(), MAX_LONG_TEXT_BYTES, "the longest description");
        let imported = new_key(&format!("{revoked}{}", text(13, 200)), &account, describe);
        assert_eq!(done(store.import(vec![imported], BY).await, "importing a key"), 1);
    }
    for filter in [
        KeyFilter { tag: Some((tag.clone(), value.clone())), ..KeyFilter::default() },
        KeyFilter { name_prefix: Some(called.clone()), ..KeyFilter::default() },
        KeyFilter { kind: Some(name(8)), order: KeyOrder::Name, ..KeyFilter::default() },
        KeyFilter { owner: Some(name(7)), ..KeyFilter::account(&account) },
    ] {
        let listed = done(store.list(&filter, None, 10).await, "listing keys");
        assert_eq!(listed.len(), 4, "the keys with the longest texts, by {filter:?}");
    }
    let (author, once) = (text(14, MAX_TEXT_BYTES), text(15, MAX_TEXT_BYTES));
    let reason = text(16, MAX_LONG_TEXT_BYTES);
    let options = CommandOptions::by(&author).because(&reason);
    let options = options.once(IdempotencyKey::new(&once, &[7; 32]));
    for replayed in [false, true] {
        let change: crate::store::KeyUpdate = Box::new(|key| key.disabled(true));
        let made = store.apply(Command::Update { id: &id, change }, options).await;
        assert_eq!(done(made, "updating a key").replayed, replayed, "a change that is sent again");
    }

    for too_long in [
        |key: KeyRecordBuilder| key.name("x".repeat(MAX_TEXT_BYTES + 1)),
        |key: KeyRecordBuilder| key.metadata("x".repeat(MAX_TEXT_BYTES + 1), ""),
        |key: KeyRecordBuilder| key.metadata("x", "x".repeat(MAX_TEXT_BYTES + 1)),
        |key: KeyRecordBuilder| key.description("x".repeat(MAX_LONG_TEXT_BYTES + 1)),
    ] {
        let change = store.update(&id, Box::new(too_long), BY).await;
        is_invalid(change, "updating a key with a text that is too long", BY);
    }
    let (long, longer) = ("x".repeat(MAX_TEXT_BYTES + 1), "x".repeat(MAX_LONG_TEXT_BYTES + 1));
    for options in [
        CommandOptions::by(&long),
        CommandOptions::by(BY).because(&longer),
        CommandOptions::by(BY).once(IdempotencyKey::new(&long, &[7; 32])),
    ] {
        let revoked = store.apply(Command::Revoke { id: &id }, options).await;
        is_invalid(revoked, "a change with a text that is too long", BY);
    }
    assert!(!entry(store, &id).await.record.is_revoked(), "a change that failed was made");
}
