//! Runs that end: they leave nothing under way, and no lease that others would wait for.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::events::{DeliveryError, Event, EventSink};
use tower_api_key::key::{Account, KeyRecord};
use tower_api_key::store::{KeyManager, NewKey};
use tower_api_key_sqlx::{EventDelivery, EventSweep, PolicySweep};

use super::{Database, Receiver, start, store, written};
use crate::{digest, key};

/// What a busy machine needs for what takes a second at most.
const SOON: Duration = Duration::from_secs(10);

/// Never answers, and counts the deliveries that are under way.
#[derive(Clone, Default)]
struct Silent(Arc<AtomicUsize>);

/// Counts a delivery until it is dropped.
struct UnderWay(Arc<AtomicUsize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl EventSink for Silent {
    fn name(&self) -> &'static str {
        "receiver"
    }

    fn deliver<'a>(
        &'a self,
        _: &'a Event,
    ) -> Pin<Box<dyn Future<Output = Result<(), DeliveryError>> + Send + 'a>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let under_way = UnderWay(Arc::clone(&self.0));
        Box::pin(async move {
            let _under_way = under_way;
            std::future::pending().await
        })
    }
}

/// Starts a run, and returns what ends it.
fn begin<F: Future<Output = ()> + Send + 'static>(
    run: impl FnOnce(Pin<Box<dyn Future<Output = ()> + Send>>) -> F,
) -> (oneshot::Sender<()>, JoinHandle<()>) {
    let (end, ended) = oneshot::channel::<()>();
    (end, tokio::spawn(run(Box::pin(async { drop(ended.await) }))))
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < SOON, "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub(super) async fn a_delivery_that_ends_has_nothing_under_way_and_no_lease(database: Database) {
    let store = store(&database, &ManualClock::starting_at(start())).await;
    let (silent, receiver) = (Silent::default(), Receiver::new("receiver"));
    let of = |sink| EventDelivery::new(store.clone(), [sink]).unwrap();
    let delivery = of(Arc::new(silent.clone()) as _).look_every(Duration::from_millis(5));
    delivery.deliver_due().await.unwrap();
    store.add(key("a"), "ada").await.unwrap();
    let (end, running) = begin(|end| delivery.run_until(end));
    until("a delivery begins", || silent.0.load(Ordering::SeqCst) == 1).await;
    let next = of(receiver.sink());
    assert_eq!(next.deliver_due().await.unwrap(), 0, "the first one holds the lease");

    let began = Instant::now();
    drop(end);
    running.await.unwrap();
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    assert_eq!(silent.0.load(Ordering::SeqCst), 0, "nothing is under way");
    // The clock stands still, so no lease has ended by itself.
    assert_eq!(next.deliver_due().await.unwrap(), 1);
    assert_eq!(receiver.taken(), ["key.created a"]);
}

pub(super) async fn what_is_being_sent_may_end_before_the_delivery_does(database: Database) {
    let store = store(&database, &ManualClock::starting_at(start())).await;
    let slow = Slow(Receiver::new("receiver"));
    let receiver = slow.0.clone();
    let delivery = EventDelivery::new(store.clone(), [Arc::new(slow) as _]).unwrap();
    delivery.deliver_due().await.unwrap();
    store.add(key("a"), "ada").await.unwrap();
    let (end, running) = begin(|end| delivery.run_until(end));
    until("the event is received", || receiver.taken().len() == 1).await;
    drop(end);
    running.await.unwrap();
    let next = EventDelivery::new(store.clone(), [receiver.sink()]).unwrap();
    assert_eq!(next.deliver_due().await.unwrap(), 0, "the event was delivered, and noted");
}

/// Answers a while after it has received an event.
struct Slow(Receiver);

impl EventSink for Slow {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn deliver<'a>(
        &'a self,
        event: &'a Event,
    ) -> Pin<Box<dyn Future<Output = Result<(), DeliveryError>> + Send + 'a>> {
        let received = self.0.deliver(event);
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(200)).await;
            received.await
        })
    }
}

pub(super) async fn a_sweep_that_ends_lets_the_next_one_sweep(database: Database) {
    let store = store(&database, &ManualClock::starting_at(start())).await;
    let expired = |id: &str| {
        let account = Account::builder("acme").build().unwrap();
        let record = KeyRecord::builder(id, account)
            .expires(Timestamp::from_unix_seconds(start().unix_seconds() - 10));
        NewKey::new(digest(id), record.build().unwrap())
    };
    store.add(expired("a"), "ada").await.unwrap();
    let has_swept = Arc::new(AtomicUsize::new(0));
    let (events, policies) =
        (|| EventSweep::new(store.clone()).unwrap(), || PolicySweep::new(store.clone()).unwrap());
    let counter = Arc::clone(&has_swept);
    let first = policies().report_to(move |outcome| {
        counter.fetch_add(usize::from(outcome.as_ref().unwrap().swept), Ordering::SeqCst);
    });
    let (end, running) = begin(|end| events().run_until(end));
    let (end_of_policies, running_of_policies) = begin(|end| first.run_until(end));
    until("policies are applied", || has_swept.load(Ordering::SeqCst) == 1).await;
    let began = Instant::now();
    while !written(&store).await.contains(&"key.expired a".to_owned()) {
        assert!(began.elapsed() < SOON, "no sweep");
    }
    assert!(!policies().sweep().await.unwrap().swept, "the first one holds the lease");
    store.add(expired("b"), "ada").await.unwrap();
    assert_eq!(events().sweep().await.unwrap(), 0, "the first one holds the lease");

    drop((end, end_of_policies));
    running.await.unwrap();
    running_of_policies.await.unwrap();
    // The clock stands still, so no lease has ended by itself.
    assert!(policies().sweep().await.unwrap().swept);
    assert_eq!(events().sweep().await.unwrap(), 1);
}
