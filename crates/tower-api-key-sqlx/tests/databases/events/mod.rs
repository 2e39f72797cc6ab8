//! Events: written with their cause, once, and delivered in the order of each key.

mod changes;
mod delivery;
mod once;
mod time;

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::events::{DeliveryError, Event, EventLog, EventSink};
use tower_api_key_sqlx::SqlStore;

use super::Folder;
use super::postgres::Postgres;

/// 2027-01-15.
pub(super) fn start() -> Timestamp {
    Timestamp::from_unix_seconds(1_800_000_000)
}

/// A store on a clock of the test's.
pub(super) async fn store(url: &str, clock: &ManualClock) -> SqlStore {
    SqlStore::connect(url).await.unwrap().with_clock(clock.clone())
}

/// Returns all events as `kind key`.
pub(super) async fn written(store: &SqlStore) -> Vec<String> {
    let events = store.events(0, 1_000).await.unwrap();
    events.iter().map(text).collect()
}

pub(super) fn text(event: &Event) -> String {
    format!("{} {}", event.kind, event.key)
}

/// A receiver that answers as a test says, and keeps what it took.
#[derive(Clone, Default)]
pub(super) struct Receiver {
    name: &'static str,
    taken: Arc<Mutex<Vec<Event>>>,
    /// The answers to come for each key; then it takes all.
    answers: Arc<Mutex<VecDeque<(&'static str, DeliveryError)>>>,
}

impl Receiver {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, ..Self::default() }
    }

    pub(super) fn refuse(&self, key: &'static str, error: DeliveryError) {
        self.answers.lock().unwrap().push_back((key, error));
    }

    pub(super) fn taken(&self) -> Vec<String> {
        self.taken.lock().unwrap().iter().map(text).collect()
    }

    pub(super) fn sink(&self) -> Arc<dyn EventSink> {
        Arc::new(self.clone())
    }
}

impl EventSink for Receiver {
    fn name(&self) -> &str {
        self.name
    }

    fn deliver<'a>(
        &'a self,
        event: &'a Event,
    ) -> Pin<Box<dyn Future<Output = Result<(), DeliveryError>> + Send + 'a>> {
        let mut answers = self.answers.lock().unwrap();
        let refused = answers.iter().position(|(key, _)| *key == event.key);
        let answer = refused.and_then(|place| answers.remove(place));
        let result = match answer {
            Some((_, error)) => Err(error),
            None => {
                self.taken.lock().unwrap().push(event.clone());
                Ok(())
            }
        };
        Box::pin(std::future::ready(result))
    }
}

/// Runs a test on both databases.
macro_rules! on_both {
    ($name:ident, $sqlite:ident, $postgres:ident) => {
        #[tokio::test]
        async fn $sqlite() {
            let folder = crate::Folder::new();
            $name(&crate::sqlite(&folder)).await;
        }

        #[tokio::test]
        async fn $postgres() {
            let Some(server) = crate::Postgres::start() else { return };
            $name(server.url()).await;
        }
    };
}
pub(super) use on_both;
