//! Delivery to sinks.

use std::future::Future;
use std::io::Write;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tower_api_key::clock::ManualClock;
use tower_api_key::events::{DeliveryError, Event, EventSink, EventWriter, RetrySchedule};
use tower_api_key::store::KeyManager;
use tower_api_key_sqlx::{EventDelivery, SqlStore};

use super::{Database, Receiver, start, store};
use crate::key;

fn to(store: &SqlStore, sinks: &[&Receiver]) -> EventDelivery {
    let sinks = sinks.iter().map(|receiver| receiver.sink());
    let seconds = |seconds| Duration::from_secs(seconds);
    let schedule = RetrySchedule::new([seconds(10), seconds(100)]);
    EventDelivery::new(store.clone(), sinks).unwrap().schedule(schedule)
}

pub(super) async fn a_refused_event_holds_back_its_key_alone(database: Database) {
    let clock = ManualClock::starting_at(start());
    let store = store(&database, &clock).await;
    let (receiver, other) = (Receiver::new("receiver"), Receiver::new("other"));
    let delivery = to(&store, &[&receiver, &other]);
    assert_eq!(delivery.deliver_due().await.unwrap(), 0);
    for id in ["a", "b"] {
        store.add(key(id), "ada").await.unwrap();
        store.revoke(id, "ada").await.unwrap();
    }
    receiver.refuse("a", DeliveryError::new("the receiver answered 503"));
    assert_eq!(delivery.deliver_due().await.unwrap(), 2 + 4);
    assert_eq!(receiver.taken(), ["key.created b", "key.revoked b"]);
    let waiting = store.waiting_events(None, 0, 10).await.unwrap();
    let [tried, behind] = &waiting[..] else { panic!("two events of one key wait: {waiting:?}") };
    assert_eq!((tried.sink.as_str(), tried.event.key.as_str(), tried.tries), ("receiver", "a", 1));
    assert_eq!(tried.error.as_deref(), Some("the receiver answered 503"));
    let next = tried.next_try.unwrap().since(start());
    assert!((9..=11).contains(&next.as_secs()), "{next:?}");
    assert_eq!((behind.tries, behind.next_try, behind.error.as_deref()), (0, None, None));
    let after = store.waiting_events(Some("receiver"), tried.event.sequence, 1).await.unwrap();
    assert_eq!(after[..], waiting[1..]);
    assert!(store.waiting_events(Some("other"), 0, 10).await.unwrap().is_empty());
    clock.advance(Duration::from_secs(8));
    assert_eq!(delivery.deliver_due().await.unwrap(), 0);
    clock.advance(Duration::from_secs(4));
    assert_eq!(delivery.deliver_due().await.unwrap(), 2);
    assert_eq!(receiver.taken()[2..], ["key.created a", "key.revoked a"]);
    assert_eq!(other.taken().len(), 4);
    assert!(store.waiting_events(None, 0, 10).await.unwrap().is_empty());
}

pub(super) async fn a_dead_letter_is_kept_and_sent_again(database: Database) {
    let clock = ManualClock::starting_at(start());
    let store = store(&database, &clock).await;
    let receiver = Receiver::new("receiver");
    let delivery = to(&store, &[&receiver]);
    delivery.deliver_due().await.unwrap();
    store.add(key("a"), "ada").await.unwrap();
    store.revoke("a", "ada").await.unwrap();
    store.add(key("b"), "ada").await.unwrap();
    for _ in 0..3 {
        receiver.refuse("a", DeliveryError::new("the receiver answered 500"));
    }
    receiver.refuse("b", DeliveryError::new("the receiver answered 410").without_retry());
    for _ in 0..3 {
        delivery.deliver_due().await.unwrap();
        clock.advance(Duration::from_secs(111));
    }
    assert_eq!(receiver.taken(), ["key.revoked a"], "later events go on");
    let dead = store.dead_events(Some("receiver"), 0, 10).await.unwrap();
    let told: Vec<_> = dead.iter().map(|dead| (dead.event.key.as_str(), dead.tries)).collect();
    assert_eq!(told, [("a", 3), ("b", 1)]);
    assert_eq!(dead[0].error.as_deref(), Some("the receiver answered 500"));
    assert!(store.waiting_events(None, 0, 10).await.unwrap().is_empty());
    assert!(store.dead_events(Some("other"), 0, 10).await.unwrap().is_empty());
    assert_eq!(store.replay_dead("receiver", Some(1)).await.unwrap(), 1);
    assert_eq!(store.replay_dead("receiver", None).await.unwrap(), 1);
    assert_eq!(delivery.deliver_due().await.unwrap(), 2);
    assert!(store.dead_events(None, 0, 10).await.unwrap().is_empty());
    assert_eq!(store.replay_events("receiver", 1).await.unwrap(), 2);
    assert_eq!(delivery.deliver_due().await.unwrap(), 2);
}

pub(super) async fn one_process_delivers_and_another_takes_over(database: Database) {
    let clock = ManualClock::starting_at(start());
    let store = store(&database, &clock).await;
    let receiver = Receiver::new("receiver");
    let (one, other) = (to(&store, &[&receiver]), to(&store, &[&receiver]));
    one.deliver_due().await.unwrap();
    store.add(key("a"), "ada").await.unwrap();
    assert_eq!(other.deliver_due().await.unwrap(), 0, "the first one holds the lease");
    clock.advance(Duration::from_secs(61));
    assert_eq!(other.deliver_due().await.unwrap(), 1);
    assert_eq!(one.deliver_due().await.unwrap(), 0);
    // A clock was set back by a day: the lease must not last for a day.
    clock.set(start());
    assert!(one.deliver_due().await.is_ok());
    store.add(key("b"), "ada").await.unwrap();
    let clock_of_past = ManualClock::starting_at(start());
    let past = store.clone().with_clock(clock_of_past);
    clock.advance(Duration::from_secs(86_400));
    other.deliver_due().await.unwrap();
    store.add(key("c"), "ada").await.unwrap();
    assert_eq!(to(&past, &[&receiver]).deliver_due().await.unwrap(), 1);
    assert_eq!(receiver.taken(), ["key.created a", "key.created b", "key.created c"]);
}

/// Keeps what is written.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub(super) async fn a_log_has_a_line_for_each_event(database: Database) {
    let store = store(&database, &ManualClock::starting_at(start())).await;
    let lines = Lines::default();
    let log: Arc<dyn EventSink> = Arc::new(EventWriter::new("log", lines.clone()));
    let delivery = EventDelivery::new(store.clone(), [log]).unwrap();
    delivery.deliver_due().await.unwrap();
    store.add(key("a"), "ada").await.unwrap();
    delivery.deliver_due().await.unwrap();
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let line: serde_json::Value = serde_json::from_str(text.trim_end()).unwrap();
    assert_eq!(line["type"], "key.created");
    assert_eq!(line["timestamp"], "2027-01-15T08:00:00Z");
    assert_eq!(line["data"]["key"], "a");
}

/// Panics.
struct Faulty;

impl EventSink for Faulty {
    fn name(&self) -> &'static str {
        "receiver"
    }

    fn deliver<'a>(
        &'a self,
        _: &'a Event,
    ) -> Pin<Box<dyn Future<Output = Result<(), DeliveryError>> + Send + 'a>> {
        panic!("as the test wants")
    }
}

#[tokio::test]
async fn a_sink_that_panics_loses_no_event() {
    let clock = ManualClock::starting_at(start());
    let store = SqlStore::connect("sqlite::memory:").await.unwrap().with_clock(clock.clone());
    let faulty: Arc<dyn EventSink> = Arc::new(Faulty);
    let faulty = EventDelivery::new(store.clone(), [faulty]).unwrap();
    faulty.deliver_due().await.unwrap();
    store.add(key("a"), "ada").await.unwrap();
    assert_eq!(faulty.deliver_due().await.unwrap(), 0);
    clock.advance(Duration::from_secs(61));
    let receiver = Receiver::new("receiver");
    assert_eq!(to(&store, &[&receiver]).deliver_due().await.unwrap(), 1);
    assert_eq!(receiver.taken(), ["key.created a"]);
}

#[tokio::test]
async fn contradictions_are_found() {
    let store = SqlStore::connect("sqlite::memory:").await.unwrap();
    let build = |names: &[&'static str]| {
        let sinks: Vec<_> = names.iter().map(|name| Receiver::new(name).sink()).collect();
        EventDelivery::new(store.clone(), sinks)
    };
    assert!(build(&["a", "b"]).is_ok());
    for wrong in [&["a", "b", "a"][..], &[""], &["a\n"]] {
        assert!(build(wrong).is_err(), "{wrong:?}");
    }
}
