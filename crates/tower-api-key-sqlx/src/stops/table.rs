//! A table of stops: a script of changes, what each leaves behind, and a process that ends at each statement.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::process::{given, run};
use super::stopping::StopAt;
use crate::SqlStore;
use crate::plan::folder::Folder;
use crate::plan::postgres::Postgres;
use crate::watched_pool::WatchedPool;
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::events::EventLog;
use tower_api_key::store::{KeyManager, TrailFilter};

/// The instant of the first change. Each change is made an hour after the one before, so that a table may have days.
const START: u64 = 1_800_000_000;

/// What a change came to: true if an earlier process had made it.
pub(super) type Making<'a> = Pin<Box<dyn Future<Output = bool> + 'a>>;

/// A script of changes on keys and an account whose ids begin with a prefix.
pub(super) trait Script {
    /// The test that is run in a process of its own.
    const CHILD: &'static str;
    /// The number of changes.
    const STEPS: usize;
    /// Whether each change can be sent again at any later time. Otherwise only the last one is.
    const REPLAYS_ALL: bool;

    /// Returns the instant at which a change is made.
    fn at(step: usize) -> Timestamp {
        Timestamp::from_unix_seconds(START + 3_600 * step as u64)
    }

    /// Makes a change, with the same idempotency key each time.
    fn make<'a>(store: &'a SqlStore, prefix: &'a str, step: usize, is_child: bool) -> Making<'a>;

    /// Describes the keys and the account that have the prefix.
    fn describe<'a>(
        store: &'a SqlStore,
        prefix: &'a str,
    ) -> Pin<Box<dyn Future<Output = String> + 'a>>;
}

async fn connect(url: &str) -> SqlStore {
    SqlStore::builder(url).create_if_missing(true).connect().await.unwrap()
}

fn at_step<S: Script>(store: &SqlStore, step: usize) -> SqlStore {
    store.clone().with_clock(ManualClock::starting_at(S::at(step)))
}

/// What has a prefix, and the number of the last event before all of its own.
#[derive(Clone, Copy)]
struct Named<'a> {
    prefix: &'a str,
    since: u64,
}

async fn last_event(store: &SqlStore, mut after: u64) -> u64 {
    while let Some(last) = store.events(after, 1_000).await.unwrap().last() {
        after = last.sequence;
    }
    after
}

/// Describes all that a prefix has: keys, account, lines of the trail, and events.
async fn state<S: Script>(
    store: &SqlStore,
    Named { prefix, since }: Named<'_>,
    step: usize,
) -> String {
    let mut text = S::describe(&at_step::<S>(store, step), prefix).await;
    let account = format!("{prefix}acme");
    let mut lines = store.trail(&TrailFilter::account(&account), None, 1_000).await.unwrap();
    lines.reverse();
    for line in lines {
        let (key, differences) = (line.key.unwrap_or_default(), line.differences);
        let reason = line.reason.unwrap_or_default();
        text += &format!("line {} {key} {reason} {} {differences:?}\n", line.action, line.by);
    }
    let mut after = since;
    loop {
        let events = store.events(after, 1_000).await.unwrap();
        let Some(last) = events.last() else { break };
        after = last.sequence;
        for event in events.iter().filter(|event| event.account == account) {
            let data = serde_json::Value::from(event.data.clone());
            text += &format!("event {} {} {data}\n", event.kind, event.key);
        }
    }
    text.replace(prefix, "")
}

/// Runs the script in this process, which another test has started.
pub(super) async fn child<S: Script>() {
    let given = given();
    let [url, prefix, statements] = &given[..] else { panic!("{given:?}") };
    let stop = StopAt::statement(statements.parse().unwrap());
    let mut store = connect(url).await;
    WatchedPool::put_into(&mut store, stop.clone());
    for step in 0..S::STEPS {
        S::make(&at_step::<S>(&store, step), prefix, step, true).await;
    }
}

/// Stops a process at each statement of the script, or at each of every `every`, and lets another one go on.
async fn check<S: Script>(url: &str, every: usize) {
    let store = connect(url).await.with_change_timeout(Duration::from_secs(60));
    let named = Named { prefix: "whole_", since: 0 };
    let mut whole = vec![state::<S>(&store, named, 0).await];
    for step in 0..S::STEPS {
        assert!(
            !S::make(&at_step::<S>(&store, step), "whole_", step, false).await,
            "{step} is new"
        );
        whole.push(state::<S>(&store, named, step).await);
        assert!(whole[step] != whole[step + 1], "change {step} changes nothing");
    }
    let (mut stopped_after, mut since, mut least) = (BTreeMap::<usize, usize>::new(), 0, 0_usize);
    for statements in (0..).step_by(every) {
        let prefix = format!("n{statements}_");
        since = last_event(&store, since).await;
        let named = Named { prefix: &prefix, since };
        let is_whole = run(S::CHILD, &format!("{url}|{prefix}|{statements}"));
        // A process that lives longer has made no fewer changes.
        let mut made = least;
        while state::<S>(&store, named, made.saturating_sub(1)).await != whole[made] {
            made += 1;
            if made > S::STEPS {
                let found = state::<S>(&store, named, 0).await;
                panic!("stopped at {statements}, it has a part of a change:\n{found}");
            }
        }
        least = made;
        *stopped_after.entry(made).or_default() += 1;
        let first = if S::REPLAYS_ALL { 0 } else { made.saturating_sub(1) };
        for step in first..S::STEPS {
            let replayed = S::make(&at_step::<S>(&store, step), &prefix, step, false).await;
            assert_eq!(replayed, step < made, "change {step}, stopped at {statements}");
            if step == made || step == S::STEPS - 1 {
                let found = state::<S>(&store, named, step).await;
                assert_eq!(found, whole[step + 1], "change {step}, stopped at {statements}");
            }
        }
        if is_whole {
            println!("{statements} stops, after each number of changes: {stopped_after:?}");
            assert!(every > 1 || (0..S::STEPS).all(|made| stopped_after.contains_key(&made)));
            break;
        }
    }
    store.close().await;
}

pub(super) async fn check_sqlite<S: Script>() {
    let folder = Folder::new();
    check::<S>(&format!("sqlite:{}", folder.path().join("keys.db").display()), 1).await;
}

pub(super) async fn check_postgres<S: Script>() {
    let Some(server) = Postgres::start() else { return };
    check::<S>(server.url(), 1).await;
}
