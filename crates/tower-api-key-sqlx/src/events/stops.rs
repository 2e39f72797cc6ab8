//! A table of stops: a process ends at each write, and another goes on. No event is lost, and none of a key overtakes
//! another.

use std::fs::OpenOptions;
use std::future::{Future, ready};
use std::io::Write;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs};

use crate::plan::folder::Folder;
use crate::plan::postgres::Postgres;
use crate::stops::{StopAt, given, run};
use crate::watched_pool::WatchedPool;
use crate::{EventDelivery, EventSweep, PolicySweep, SqlStore};
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::events::{
    DeliveryError, Event, EventKind, EventLog, EventSink, EventSubject, Occurrence, RetrySchedule,
};
use tower_api_key::key::{Account, KeyHasher, KeyRecord};
use tower_api_key::policy::KeyPolicy;
use tower_api_key::store::{Action, Command as Change, CommandOptions, KeyManager, NewKey};

const DAY: u64 = 86_400;

/// Writes a line for each event that it takes. It refuses the first event of `b`, once.
struct FileSink {
    path: String,
    stop: StopAt,
}

impl EventSink for FileSink {
    fn name(&self) -> &'static str {
        "file"
    }

    fn deliver<'a>(
        &'a self,
        event: &'a Event,
    ) -> Pin<Box<dyn Future<Output = Result<(), DeliveryError>> + Send + 'a>> {
        self.stop.pass();
        let refused = format!("{}.refused", self.path);
        if event.key == "b" && fs::metadata(&refused).is_err() {
            fs::write(refused, "").unwrap();
            return Box::pin(ready(Err(DeliveryError::new("once"))));
        }
        let mut file = OpenOptions::new().append(true).create(true).open(&self.path).unwrap();
        file.write_all(format!("{} {}\n", event.sequence, event.key).as_bytes()).unwrap();
        self.stop.pass();
        Box::pin(ready(Ok(())))
    }
}

async fn connect(url: &str, prefix: &str, seconds: u64) -> SqlStore {
    let clock = ManualClock::starting_at(Timestamp::from_unix_seconds(seconds));
    SqlStore::builder(url)
        .prefix(prefix)
        .create_if_missing(true)
        .clock(clock)
        .connect()
        .await
        .unwrap()
}

fn delivery(store: &SqlStore, path: &str, stop: &StopAt) -> EventDelivery {
    let file: Arc<dyn EventSink> = Arc::new(FileSink { path: path.to_owned(), stop: stop.clone() });
    let schedule = RetrySchedule::new([Duration::from_secs(30)]);
    EventDelivery::new(store.clone(), [file]).unwrap().schedule(schedule)
}

/// Adds keys that are due for a policy on day 80: `c` and `d` are not used, and `e` has no expiry and an old secret.
async fn prepare(url: &str, prefix: &str) {
    let store = connect(url, prefix, 10 * DAY).await;
    let key = |id: &str| {
        let account = Account::builder("acme").build().unwrap();
        let record = KeyRecord::builder(id, account).kind("swept").build().unwrap();
        NewKey::new(KeyHasher::sha256().digest(id.as_bytes()), record)
    };
    let keys = ["c", "d", "e"].map(key);
    let uses = [(&keys[1], 11), (&keys[2], 80)];
    let at = |day| Timestamp::from_unix_seconds(day * DAY);
    let uses = uses.map(|(key, day)| (key.digest, at(day)));
    store.import(keys.to_vec(), "test").await.unwrap();
    store.note_uses(uses.to_vec()).await.unwrap();
    let days = |days| Duration::from_secs(days * DAY);
    let policy = KeyPolicy::builder("kind:swept".parse().unwrap()).longest_life(days(90));
    let policy = policy.switch_off_unused(days(30)).remind_of_rotation(days(30)).build().unwrap();
    store.apply(Change::SavePolicy(policy), CommandOptions::by("test")).await.unwrap();
    store.close().await;
}

/// Makes the changes that an earlier process has not made, and then what a gate's process does.
async fn work(store: &SqlStore, path: &str, stop: &StopAt) {
    let done = store.changes(0, 100).await.unwrap();
    let lacks = |action, id: &str| {
        !done.iter().any(|change| change.action == action && change.key.as_deref() == Some(id))
    };
    for id in ["a", "b"] {
        if lacks(Action::KeyAdded, id) {
            let account = Account::builder("acme").build().unwrap();
            let record =
                KeyRecord::builder(id, account).expires(Timestamp::from_unix_seconds(70 * DAY));
            let digest = KeyHasher::sha256().digest(id.as_bytes());
            store.add(NewKey::new(digest, record.build().unwrap()), "test").await.unwrap();
        }
    }
    let subject = EventSubject::Key("a".to_owned());
    let used = Occurrence::new(EventKind::FirstUse, subject, store.clock.now());
    store.record(vec![used]).await.unwrap();
    EventSweep::new(store.clone()).unwrap().sweep().await.unwrap();
    let sweep = PolicySweep::new(store.clone()).unwrap();
    sweep.assume_uses_recorded_since(Timestamp::default()).sweep().await.unwrap();
    if lacks(Action::KeyRevoked, "a") {
        store.revoke("a", "test").await.unwrap();
    }
    delivery(store, path, stop).deliver_due().await.unwrap();
}

#[tokio::test]
#[ignore = "is a process that another test starts"]
async fn child() {
    let given = given();
    // The database, its prefix, the file of deliveries, the writes until the end, and the time in seconds.
    let [url, prefix, path, writes, seconds] = &given[..] else { panic!("{given:?}") };
    let stop = StopAt::write(writes.parse().unwrap());
    let mut store = connect(url, prefix, seconds.parse().unwrap()).await;
    WatchedPool::put_into(&mut store, stop.clone());
    work(&store, path, &stop).await;
}

/// Checks what a database and a file of deliveries hold when all is done.
async fn check(store: &SqlStore, path: &str, writes: i64) {
    let events = store.events(0, 100).await.unwrap();
    let mut kinds: Vec<_> =
        events.iter().map(|event| (event.key.clone(), event.kind.name())).collect();
    kinds.sort();
    let expected = [
        ("a", "key.created"),
        ("a", "key.expired"),
        ("a", "key.first_use"),
        ("a", "key.revoked"),
        ("b", "key.created"),
        ("b", "key.expired"),
        ("c", "key.switched_off"),
        ("d", "key.switched_off"),
        ("e", "key.expiring"),
        ("e", "key.rotation_due"),
    ];
    let kinds: Vec<_> = kinds.iter().map(|(key, kind)| (key.as_str(), *kind)).collect();
    assert_eq!(kinds, expected, "stopped at {writes}");
    let changes = store.changes(0, 100).await.unwrap();
    let swept = changes.iter().filter(|change| change.by == "policy");
    let mut swept: Vec<_> = swept.filter_map(|change| change.key.as_deref()).collect();
    swept.sort_unstable();
    assert_eq!(swept, ["c", "d", "e"], "the changes by policies, stopped at {writes}");
    let file = fs::read_to_string(path).unwrap();
    for key in ["a", "b", "c", "d", "e"] {
        let mut taken: Vec<u64> = Vec::new();
        for line in file.lines() {
            let (sequence, of) = line.split_once(' ').unwrap();
            let sequence = sequence.parse().unwrap();
            if of == key && !taken.contains(&sequence) {
                taken.push(sequence);
            }
        }
        let written = events.iter().filter(|event| event.key == key);
        let written: Vec<u64> = written.map(|event| event.sequence).collect();
        assert_eq!(taken, written, "the key {key}, stopped at {writes}");
    }
}

/// Stops a process at each write, and lets others go on.
async fn nothing_is_lost(url: impl Fn(i64) -> (String, String), folder: &Folder, every: usize) {
    let none = StopAt::never();
    for writes in (0..).step_by(every) {
        let (url, prefix) = url(writes);
        let path = folder.path().join(format!("deliveries_{writes}"));
        let path = path.to_str().unwrap();
        prepare(&url, &prefix).await;
        // The sink is known before the first event.
        let store = connect(&url, &prefix, 80 * DAY).await;
        delivery(&store, path, &none).deliver_due().await.unwrap();
        let started = 80 * DAY + 100;
        let given = format!("{url}|{prefix}|{path}|{writes}|{started}");
        let is_whole = run("events::stops::child", &given);
        // The lease of the stopped process has ended, and then the wait of the refused event.
        for later in [100, 200] {
            let store = connect(&url, &prefix, started + later).await;
            work(&store, path, &none).await;
            store.close().await;
        }
        check(&store, path, writes).await;
        store.close().await;
        if is_whole {
            println!("{writes} stops");
            assert!(writes > 40);
            return;
        }
    }
}

#[tokio::test]
async fn a_process_that_ends_at_any_write_loses_and_reorders_nothing_in_sqlite() {
    let folder = Folder::new();
    let url = |writes| {
        let file = folder.path().join(format!("{writes}.db"));
        (format!("sqlite:{}", file.display()), "t_".to_owned())
    };
    nothing_is_lost(url, &folder, 1).await;
}

#[tokio::test]
async fn a_process_that_ends_at_any_write_loses_and_reorders_nothing_in_postgres() {
    let Some(server) = Postgres::start() else { return };
    let folder = Folder::new();
    // The statements are those of SQLite, where each stop is tried. `EVERY_STOP=1` tries each one here, too.
    let every = if env::var_os("EVERY_STOP").is_some() { 1 } else { 7 };
    let url = |writes| (server.url().to_owned(), format!("t{writes}_"));
    nothing_is_lost(url, &folder, every).await;
}
