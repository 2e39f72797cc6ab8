//! The events of changes.

use tower_api_key::clock::ManualClock;
use tower_api_key::events::{EventKind, EventLog};
use tower_api_key::store::{
    Command, CommandOptions, IdempotencyKey, KeyManager, Precondition, Version,
};

use super::{Database, start, store, written};
use crate::{digest, key};

pub(super) async fn every_change_has_its_event(database: Database) {
    let store = store(&database, &ManualClock::starting_at(start())).await;
    for id in ["a", "b", "c", "d", "e"] {
        store.add(key(id), "ada").await.unwrap();
    }
    store.rotate("a", digest("a2"), start(), "ada").await.unwrap();
    store.revoke("a", "ada").await.unwrap();
    store.revoke("a", "ada").await.unwrap();
    let leaked = CommandOptions::by("bob").because("leaked: in a public repository");
    store.apply(Command::Revoke { id: "b" }, leaked).await.unwrap();
    // That it leaked is news of a revoked key, too.
    store.apply(Command::Revoke { id: "b" }, leaked).await.unwrap();
    store.update("c", Box::new(|key| key.name("other")), "ada").await.unwrap();
    store.apply(Command::EndEarlierSecrets { id: "c" }, leaked).await.unwrap();
    store.end_earlier_secrets("c", "ada").await.unwrap();
    // Whatever ends the secret tells that it leaked.
    let because = "Leaked in a log";
    let options = CommandOptions::by("bob").because(because);
    let change = Box::new(|key: tower_api_key::key::KeyRecordBuilder| key.disabled(true));
    store.apply(Command::Update { id: "d", change }, options).await.unwrap();
    store.apply(Command::Delete { id: "e" }, options).await.unwrap();
    store.delete("a", "ada").await.unwrap();
    store.delete_account("acme", "ada").await.unwrap();
    let expected = [
        "key.created a",
        "key.created b",
        "key.created c",
        "key.created d",
        "key.created e",
        "key.rotated a",
        "key.revoked a",
        "key.leaked b",
        "key.revoked b",
        "key.leaked b",
        "key.leaked c",
        "key.leaked d",
        "key.switched_off d",
        "key.leaked e",
        "key.deleted e",
        "key.deleted a",
        "key.deleted b",
        "key.deleted c",
        "key.deleted d",
    ];
    assert_eq!(written(&store).await, expected);
    let events = store.events(0, 100).await.unwrap();
    let mut ids: Vec<_> = events.iter().map(|event| event.id.clone()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), expected.len(), "each has an id of its own");
    let leaked = &events[7];
    assert_eq!((leaked.account.as_str(), leaked.at), ("acme", start()));
    assert_eq!(leaked.data["author"], "bob");
    assert_eq!(leaked.data["reason"], "leaked: in a public repository");
    assert_eq!(store.events(7, 2).await.unwrap()[0].sequence, 8);
}

pub(super) async fn a_change_that_is_not_made_has_no_event(database: Database) {
    let store = store(&database, &ManualClock::starting_at(start())).await;
    store.add(key("a"), "ada").await.unwrap();
    assert!(store.add(key("a"), "ada").await.is_err());
    assert!(store.revoke("b", "ada").await.is_err());
    let other = Version::of_key(&store.get("a").await.unwrap().unwrap());
    store.update("a", Box::new(|key| key.name("new")), "ada").await.unwrap();
    let late = CommandOptions::by("ada").when(Precondition::Version(other));
    assert!(store.apply(Command::Revoke { id: "a" }, late).await.is_err());
    let twice = CommandOptions::by("ada").once(IdempotencyKey::new("x", &[1; 32]));
    for _ in 0..2 {
        store.apply(Command::Revoke { id: "a" }, twice).await.unwrap();
    }
    store.import(vec![key("i")], "ada").await.unwrap();
    assert_eq!(written(&store).await, ["key.created a", "key.revoked a"]);
    let kinds = store.events(0, 10).await.unwrap();
    assert_eq!(kinds[1].kind, EventKind::Revoked);
}
