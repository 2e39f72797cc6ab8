//! From a change in a store to a verified message.

use std::sync::Arc;
use std::time::Duration;

use tower_api_key::clock::{Clock, ManualClock, SystemClock};
use tower_api_key::events::EventKind;
use tower_api_key::key::{Account, KeyHasher, KeyRecord};
use tower_api_key::store::{KeyManager, NewKey};
use tower_api_key_sqlx::{EventDelivery, SqlStore};

use super::local;
use super::receiver::Receiver;

#[tokio::test]
async fn an_event_is_sent_again_with_the_same_id_until_it_is_taken() {
    let clock = ManualClock::starting_at(SystemClock.now());
    let store = SqlStore::connect("sqlite::memory:").await.unwrap().with_clock(clock.clone());
    let receiver =
        Receiver::start(&["HTTP/1.1 503 X\r\nretry-after: 60\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"])
            .await;
    let webhook = local(&receiver.url()).kinds([EventKind::Created]).account("acme");
    let delivery =
        EventDelivery::new(store.clone(), [Arc::new(webhook.build().unwrap()) as _]).unwrap();
    delivery.deliver_due().await.unwrap();
    for (id, account) in [("a", "acme"), ("b", "other")] {
        let account = Account::builder(account).build().unwrap();
        let record = KeyRecord::builder(id, account).build().unwrap();
        let digest = KeyHasher::sha256().digest(id.as_bytes());
        store.add(NewKey::new(digest, record), "ada").await.unwrap();
        store.revoke(id, "ada").await.unwrap();
    }
    assert_eq!(delivery.deliver_due().await.unwrap(), 0);
    clock.advance(Duration::from_secs(59));
    assert_eq!(delivery.deliver_due().await.unwrap(), 0, "it asked for 60 seconds");
    clock.advance(Duration::from_secs(1));
    assert_eq!(delivery.deliver_due().await.unwrap(), 1);
    let received = receiver.received();
    let [first, second] = &received[..] else { panic!("{received:?}") };
    assert_eq!(first.headers["webhook-id"], second.headers["webhook-id"]);
    assert!(second.body.contains(r#""type":"key.created""#), "{}", second.body);
}
