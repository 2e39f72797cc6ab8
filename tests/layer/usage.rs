//! What a recorder of usage writes: each request once, off its path, within bounded memory.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Method;
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::decision::{ObservedRequest, RequestEnd};
use tower_api_key::rules::{Route, Routes};
use tower_api_key::store::StoreError;
use tower_api_key::usage::{
    OTHER_ROUTE, UsageBatch, UsageCell, UsageFuture, UsageRecorder, UsageRecorderBuilder, UsageSink,
};
use tower_api_key::{ApiKeyLayer, Observer};

use crate::support::{PROFILE, Service, anonymous, greeting, request, send, store};

const NOON: Timestamp = Timestamp::from_unix_seconds(1_700_049_600);

/// Keeps batches. The first writes fail, before or after the batch was kept.
#[derive(Default)]
struct Batches {
    all: Mutex<Vec<UsageBatch>>,
    failures: AtomicUsize,
    loses_answers: bool,
    hangs: bool,
}

impl UsageSink for Batches {
    fn write<'a>(&'a self, batch: &'a UsageBatch) -> UsageFuture<'a, ()> {
        Box::pin(async move {
            let one_less = |left: usize| left.checked_sub(1);
            let fails = self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less);
            if fails.is_err() || self.loses_answers {
                self.all.lock().unwrap().push(batch.clone());
            }
            if fails.is_ok() {
                if self.hangs {
                    std::future::pending::<()>().await;
                }
                return Err(StoreError::new("the database is away"));
            }
            Ok(())
        })
    }
}

impl Batches {
    /// Returns `key route decision requests` of the batches, each of which counts once.
    fn lines(&self) -> Vec<String> {
        let mut all = self.all.lock().unwrap().clone();
        all.dedup_by_key(|batch| (batch.writer, batch.sequence));
        let line = |cell: &UsageCell| {
            let key = cell.key.as_ref().map_or("-", |key| key.as_str());
            format!("{key} {} {} {}", cell.route, cell.decision, cell.requests)
        };
        all.iter().flat_map(|batch| &batch.cells).map(line).collect()
    }

    fn requests(&self) -> u64 {
        let mut all = self.all.lock().unwrap().clone();
        all.dedup_by_key(|batch| (batch.writer, batch.sequence));
        all.iter().map(UsageBatch::requests).sum()
    }
}

fn gate(usage: &UsageRecorder) -> Service {
    let routes =
        Routes::new().get("/users/{id}", Route::new()).get("/jobs", Route::new().all_of(&["jobs"]));
    let layer = ApiKeyLayer::builder(PROFILE, store(|key| key))
        .routes(routes)
        .clock(ManualClock::starting_at(NOON))
        .observer(usage.clone())
        .build();
    greeting(&layer.unwrap())
}

fn recorder(change: impl FnOnce(UsageRecorderBuilder) -> UsageRecorderBuilder) -> UsageRecorder {
    change(UsageRecorder::builder().clock(ManualClock::starting_at(NOON))).build()
}

async fn ask(gate: &Service, path: &str, times: usize) {
    for _ in 0..times {
        send(gate, request(Method::GET, path)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn each_request_is_counted_by_key_route_decision_and_hour() {
    let (usage, batches) = (recorder(|usage| usage), Arc::new(Batches::default()));
    tokio::spawn(usage.write_to(batches.clone()));
    let gate = gate(&usage);
    ask(&gate, "/users/7", 2).await;
    ask(&gate, "/users/8", 1).await;
    ask(&gate, "/jobs", 1).await;
    send(&gate, anonymous(Method::GET, "/users/7")).await;
    assert_eq!(batches.requests(), 0);

    // A crash before this instant would lose the requests. It comes well before 10 seconds.
    tokio::time::sleep(Duration::from_millis(5_001)).await;
    let mut lines = batches.lines();
    lines.sort();
    assert_eq!(lines, ["-  refused 1", "key_1 /jobs refused 1", "key_1 /users/{id} admitted 3"]);
    let batch = batches.all.lock().unwrap()[0].clone();
    assert!(batch.cells.iter().all(|cell| cell.hour.start() == NOON));
    assert!(batch.cells.iter().all(|cell| {
        cell.account.as_ref().map(tower_api_key::key::AccountId::as_str)
            == cell.key.as_ref().map(|_| "acme")
    }));
    let [(key, used)] = &batch.last_uses[..] else { panic!("one key was admitted") };
    assert_eq!((key.as_str(), used.at), ("key_1", NOON));
    assert_eq!(used.network.unwrap().to_string(), "192.0.2.0/24");

    // Nothing is written without requests.
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(batches.all.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_the_sink_is_told_once() {
    let batches = Arc::new(Batches { failures: AtomicUsize::new(3), ..Batches::default() });
    let (usage, told) = (recorder(|usage| usage), Arc::new(Mutex::new(Vec::new())));
    let report = Arc::clone(&told);
    let writes = usage.write_to(batches.clone());
    tokio::spawn(writes.report_to(move |error| report.lock().unwrap().push(error.to_string())));
    let gate = gate(&usage);
    for (failures, outages) in [(3, 1), (0, 1), (1, 2)] {
        batches.failures.store(failures, Ordering::SeqCst);
        ask(&gate, "/users/7", 1).await;
        tokio::time::sleep(Duration::from_secs(30)).await;
        let told = told.lock().unwrap();
        assert_eq!(told.len(), outages, "{told:?}");
        assert!(told.iter().all(|error| error.contains("the database is away")), "{told:?}");
    }
    assert_eq!(batches.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_written_again_until_its_answer_comes() {
    for loses_answers in [false, true] {
        let failures = AtomicUsize::new(3);
        let batches = Arc::new(Batches { failures, loses_answers, ..Batches::default() });
        let usage = recorder(|usage| usage);
        tokio::spawn(usage.write_to(batches.clone()));
        let gate = gate(&usage);
        ask(&gate, "/users/7", 5).await;
        tokio::time::sleep(Duration::from_secs(6)).await;
        assert_eq!(usage.failed_writes(), 1);
        assert!(usage.failure().unwrap().to_string().contains("the database is away"));
        ask(&gate, "/users/7", 3).await;
        assert!(usage.flush().await.is_err());
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(batches.requests(), 8, "{loses_answers}");
        assert!(usage.failure().is_none());
        let all = batches.all.lock().unwrap();
        let sequences: Vec<_> = all.iter().map(|batch| batch.sequence).collect();
        assert_eq!(sequences, if loses_answers { vec![1, 1, 1, 1, 2] } else { vec![1, 2] });
        assert!(all.iter().all(|batch| batch.writer == all[0].writer));
    }
}

/// The write of a caller that hangs up may have reached the database.
#[tokio::test(start_paused = true)]
async fn a_write_that_is_given_up_is_repeated_as_it_was() {
    let failures = AtomicUsize::new(1);
    let batches =
        Arc::new(Batches { failures, loses_answers: true, hangs: true, ..Batches::default() });
    let usage = recorder(|usage| usage);
    drop(usage.write_to(batches.clone()));
    ask(&gate(&usage), "/users/7", 5).await;
    assert!(tokio::time::timeout(Duration::from_secs(1), usage.flush()).await.is_err());
    usage.flush().await.unwrap();
    let all = batches.all.lock().unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!(all[0], all[1]);
}

#[tokio::test(start_paused = true)]
async fn memory_is_bounded_and_no_request_is_left_out_of_the_totals() {
    let (usage, batches) = (recorder(|usage| usage.max_cells(1)), Arc::new(Batches::default()));
    let gate = gate(&usage);
    ask(&gate, "/users/7", 2).await;
    ask(&gate, "/jobs", 3).await;
    ask(&gate, "/users/7", 2).await;
    assert_eq!(usage.overflowed(), 3);
    drop(usage.write_to(batches.clone()));
    usage.flush().await.unwrap();
    let mut lines = batches.lines();
    lines.sort();
    assert_eq!(
        lines,
        [format!("- {OTHER_ROUTE} refused 3"), "key_1 /users/{id} admitted 4".to_owned()]
    );
    // There is room again.
    ask(&gate, "/jobs", 1).await;
    usage.flush().await.unwrap();
    assert_eq!(batches.lines().last().unwrap(), "key_1 /jobs refused 1");
}

#[tokio::test(start_paused = true)]
async fn a_recorder_with_little_room_is_written_at_once() {
    let (usage, batches) = (recorder(|usage| usage.max_cells(4)), Arc::new(Batches::default()));
    tokio::spawn(usage.write_to(batches.clone()));
    let gate = gate(&usage);
    for path in ["/users/7", "/jobs", "/nowhere"] {
        ask(&gate, path, 1).await;
    }
    send(&gate, anonymous(Method::GET, "/users/7")).await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!((batches.requests(), usage.overflowed()), (4, 0));
}

#[tokio::test(start_paused = true)]
async fn a_recorder_that_is_stopped_or_dropped_writes_what_is_left() {
    let (usage, batches) = (recorder(|usage| usage), Arc::new(Batches::default()));
    let task = tokio::spawn(usage.write_to(batches.clone()));
    tokio::spawn(usage.write_to(batches.clone())).await.unwrap(); // a second task ends at once
    ask(&gate(&usage), "/users/7", 1).await;
    usage.stop().await.unwrap();
    assert_eq!(batches.requests(), 1);
    task.await.unwrap();

    let usage = recorder(|usage| usage);
    let task = tokio::spawn(usage.write_to(batches.clone()));
    ask(&gate(&usage), "/users/7", 1).await;
    drop(usage);
    task.await.unwrap();
    assert_eq!(batches.requests(), 2);

    let error = recorder(|usage| usage).flush().await.unwrap_err();
    assert!(error.to_string().contains("write_to"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn threads_count_together_while_batches_are_taken() {
    let (usage, batches) = (recorder(|usage| usage), Arc::new(Batches::default()));
    drop(usage.write_to(batches.clone()));
    let gate = gate(&usage);
    let asking = |gate: Service| tokio::spawn(async move { ask(&gate, "/users/7", 1_000).await });
    let tasks: Vec<_> = (0..8).map(|_| asking(gate.clone())).collect();
    while !tasks.iter().all(tokio::task::JoinHandle::is_finished) {
        usage.flush().await.unwrap();
        tokio::task::yield_now().await;
    }
    usage.stop().await.unwrap();
    assert_eq!(batches.requests(), 8_000);
}

/// Counts each request of a gate many times over, and measures it.
struct Repeated(UsageRecorder);

impl Observer for Repeated {
    fn observes_requests(&self) -> bool {
        true
    }

    fn ended(&self, request: &ObservedRequest<'_>, end: RequestEnd) {
        const TIMES: u32 = 1_000_000;
        let began = std::time::Instant::now();
        for _ in 0..TIMES {
            self.0.ended(std::hint::black_box(request), end);
        }
        println!("a request is counted in {:?}", began.elapsed() / TIMES);
    }
}

/// `cargo test --release -p tests --test gate a_request_is_counted -- --ignored --nocapture`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "says how long it takes"]
async fn a_request_is_counted_in_nanoseconds() {
    let routes = Routes::new().get("/users/{id}", Route::new());
    let layer = ApiKeyLayer::builder(PROFILE, store(|key| key))
        .routes(routes)
        .observer(Repeated(recorder(|usage| usage)));
    let gate = greeting(&layer.build().unwrap());
    ask(&gate, "/users/7", 2).await;
    println!("two threads at once:");
    let other = gate.clone();
    let other = tokio::spawn(async move { ask(&other, "/users/7", 1).await });
    tokio::spawn(async move { ask(&gate, "/users/7", 1).await }).await.unwrap();
    other.await.unwrap();
}

/// A database could not write the batch, nor any later one.
#[tokio::test(start_paused = true)]
async fn a_pattern_that_no_index_can_hold_is_counted_without_its_name() {
    let (usage, batches) = (recorder(|usage| usage), Arc::new(Batches::default()));
    let [fits, long] = [1_023, 1_024].map(|length| format!("/{}", "x".repeat(length)));
    let routes = Routes::new().get(&fits, Route::new()).get(&long, Route::new());
    let layer = ApiKeyLayer::builder(PROFILE, store(|key| key)).routes(routes);
    let layer = layer.clock(ManualClock::starting_at(NOON)).observer(usage.clone()).build();
    let gate = greeting(&layer.unwrap());
    drop(usage.write_to(batches.clone()));
    for path in [&fits, &long] {
        ask(&gate, path, 1).await;
    }
    usage.flush().await.unwrap();
    let mut lines = batches.lines();
    lines.sort();
    assert_eq!(
        lines,
        [format!("key_1 {fits} admitted 1"), format!("key_1 {OTHER_ROUTE} admitted 1")]
    );
}
