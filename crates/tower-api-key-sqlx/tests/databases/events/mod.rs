//! Events: written with their cause, once, and delivered in the order of each key.

mod changes;
mod delivery;
mod ending;
mod once;
mod page;
mod time;
mod wake;

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::events::{DeliveryError, Event, EventLog, EventSink};
use tower_api_key_sqlx::SqlStore;

use super::postgres::Postgres;

/// 2027-01-15.
pub(super) fn start() -> Timestamp {
    Timestamp::from_unix_seconds(1_800_000_000)
}

/// A database, and the prefix of one test's tables in it.
#[derive(Clone)]
pub(super) struct Database {
    url: String,
    prefix: &'static str,
}

/// A store on a clock of the test's.
pub(super) async fn store(database: &Database, clock: &ManualClock) -> SqlStore {
    let store = SqlStore::builder(&database.url).prefix(database.prefix).clock(clock.clone());
    store.connect().await.unwrap()
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
        let result = if let Some((_, error)) = answer {
            Err(error)
        } else {
            self.taken.lock().unwrap().push(event.clone());
            Ok(())
        };
        Box::pin(std::future::ready(result))
    }
}

/// Declares tests that run on both databases: each on a SQLite file of its own, and all on one server.
macro_rules! on_both {
    ($($module:ident::$name:ident,)*) => {
        mod on_sqlite {
            $(
                #[tokio::test]
                async fn $name() {
                    let folder = crate::Folder::new();
                    let database = super::Database { url: crate::sqlite(&folder), prefix: "t_" };
                    super::$module::$name(database).await;
                }
            )*
        }

        #[tokio::test]
        async fn all_on_postgres() {
            let Some(server) = Postgres::start() else { return };
            $(
                let prefix = concat!(stringify!($name), "_").get(..39).unwrap_or(concat!(stringify!($name), "_"));
                $module::$name(Database { url: server.url().to_owned(), prefix }).await;
            )*
        }
    };
}

on_both! {
    changes::every_change_has_its_event,
    changes::a_change_that_is_not_made_has_no_event,
    delivery::a_refused_event_holds_back_its_key_alone,
    delivery::a_dead_letter_is_kept_and_sent_again,
    delivery::one_process_delivers_and_another_takes_over,
    delivery::a_log_has_a_line_for_each_event,
    ending::a_delivery_that_ends_has_nothing_under_way_and_no_lease,
    ending::what_is_being_sent_may_end_before_the_delivery_does,
    ending::a_sweep_that_ends_lets_the_next_one_sweep,
    once::many_processes_write_one_event,
    once::an_occasion_ends,
    once::keys_of_an_account_share_an_occasion,
    once::a_key_that_was_used_before_has_no_first_use,
    time::a_key_that_expires_has_each_event_once,
    time::a_key_that_is_not_used_has_an_event,
    time::one_of_many_processes_sweeps,
    time::old_events_are_deleted_and_numbers_go_on,
}
