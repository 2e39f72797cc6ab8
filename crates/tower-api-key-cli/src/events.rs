//! Prints events, and sends them to sinks again.

use std::error::Error;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tokio::time::sleep;
use tower_api_key::events::{Event, EventLog};
use tower_api_key_sqlx::{DeadEvent, SqlStore, WaitingEvent};

use crate::at_least_one::at_least_one;
use crate::escape;
use crate::failure::Failure;
use crate::help;
use crate::moment;
use crate::output::{Output, complain, print};
use crate::pruning::Pruning;

/// The time between two looks of `--follow`.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// The events of one look.
const PAGE: usize = 500;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Events {
    #[command(subcommand)]
    command: Option<EventCommand>,
    /// Start after the event with this sequence number
    #[arg(long, default_value_t = 0, value_name = "SEQUENCE")]
    after: u64,
    /// Print at most this many events
    #[arg(long, default_value_t = 100, value_parser = at_least_one, conflicts_with = "follow")]
    limit: usize,
    /// Print each event as a line of JSON, and wait for more
    #[arg(long)]
    follow: bool,
}

#[derive(Debug, Subcommand)]
enum EventCommand {
    /// List dead letters: events that a sink did not take in any try
    Dead(Undelivered),
    /// List events that wait for a sink: those that it did not take yet, with the next try
    Waiting(Undelivered),
    /// Send a sink its dead letters again, or all events after a sequence
    ///
    /// A process that delivers events sends them within a second. Later events of the same keys may have arrived before.
    #[command(after_help = help::REPLAY)]
    Replay {
        /// Name of the sink
        #[arg(long, value_name = "NAME")]
        sink: String,
        /// Only the dead letter with this sequence number
        #[arg(long, value_name = "SEQUENCE", conflicts_with = "all_after")]
        sequence: Option<u64>,
        /// All events after this sequence number, also those that arrived
        #[arg(long, value_name = "SEQUENCE")]
        all_after: Option<u64>,
    },
    /// Delete old events, with their deliveries and dead letters
    ///
    /// A sink that no program has served since then loses these events. Programs that sweep delete events of 30 days.
    #[command(after_help = help::PRUNE_EVENTS)]
    Prune(Pruning),
}

/// Which events that a sink has not taken.
#[derive(Debug, Args)]
struct Undelivered {
    /// Only those of this sink
    #[arg(long, value_name = "NAME")]
    sink: Option<String>,
    /// Start after the event with this sequence number
    #[arg(long, default_value_t = 0, value_name = "SEQUENCE")]
    after: u64,
    /// Print at most this many of them
    #[arg(long, default_value_t = 100, value_parser = at_least_one)]
    limit: usize,
}

impl Events {
    pub(crate) async fn run(self, store: &SqlStore, output: &Output) -> Result<(), Failure> {
        match self.command {
            None if self.follow => follow(store, self.after).await,
            None => {
                let events = store.events(self.after, self.limit).await?;
                let columns = ["sequence", "timestamp", "type", "key", "account"];
                output.rows(columns, events.iter().map(value))
            }
            Some(EventCommand::Dead(Undelivered { sink, after, limit })) => {
                let dead = store.dead_events(sink.as_deref(), after, limit).await?;
                let columns = ["sequence", "sink", "type", "key", "tries", "error"];
                output.rows(columns, dead.iter().map(dead_value))
            }
            Some(EventCommand::Waiting(Undelivered { sink, after, limit })) => {
                let waiting = store.waiting_events(sink.as_deref(), after, limit).await?;
                let columns = ["sequence", "sink", "type", "key", "tries", "next_try", "error"];
                output.rows(columns, waiting.iter().map(waiting_value))
            }
            Some(EventCommand::Replay { sink, sequence, all_after }) => {
                if !store.has_event_sink(&sink).await? {
                    let text = "no sink has this name: `events dead` lists names, as do the programs that deliver";
                    return Err(Failure::Invalid(text.to_owned()));
                }
                let replayed = match all_after {
                    Some(after) => store.replay_events(&sink, after).await?,
                    None => store.replay_dead(&sink, sequence).await?,
                };
                output.say(&format!("events to send again: {replayed}"));
                Ok(())
            }
            Some(EventCommand::Prune(pruning)) => pruning.of_events(store, output).await,
        }
    }
}

/// Prints events until standard output is closed. A store that answered once is asked again when it fails.
async fn follow(store: &SqlStore, mut after: u64) -> Result<(), Failure> {
    let mut events = store.events(after, PAGE).await?;
    let mut is_failing = false;
    loop {
        for event in &events {
            after = event.sequence;
            print(&line(event))?;
        }
        if events.is_empty() {
            sleep(BETWEEN_LOOKS).await;
        }
        events = match store.events(after, PAGE).await {
            Ok(events) => {
                is_failing = false;
                events
            }
            Err(error) => {
                if !std::mem::replace(&mut is_failing, true) {
                    let cause =
                        error.source().map_or_else(String::new, |cause| format!(": {cause}"));
                    complain(&format!("{error}{cause}: it is asked again each second"));
                }
                Vec::new()
            }
        };
    }
}

/// Returns an event as one line of JSON, as a webhook has it.
fn line(event: &Event) -> String {
    serde_json::from_str(&event.payload())
        .map_or_else(|_| String::new(), |value| escape::json(&value))
}

/// Returns an event as a webhook has it, with key and account beside its data for the table.
fn value(event: &Event) -> Value {
    let mut value: Value = serde_json::from_str(&event.payload()).unwrap_or_default();
    if let Value::Object(fields) = &mut value {
        fields.insert("timestamp".to_owned(), moment::text(event.at).into());
        fields.insert("key".to_owned(), event.key.clone().into());
        fields.insert("account".to_owned(), event.account.clone().into());
    }
    value
}

fn waiting_value(waiting: &WaitingEvent) -> Value {
    json!({
        "sequence": waiting.event.sequence,
        "sink": waiting.sink,
        "type": waiting.event.kind.name(),
        "key": waiting.event.key,
        "account": waiting.event.account,
        "tries": waiting.tries,
        "next_try": waiting.next_try.map(moment::text),
        "error": waiting.error,
    })
}

fn dead_value(dead: &DeadEvent) -> Value {
    json!({
        "sequence": dead.event.sequence,
        "sink": dead.sink,
        "type": dead.event.kind.name(),
        "key": dead.event.key,
        "account": dead.event.account,
        "tries": dead.tries,
        "error": dead.error,
    })
}
