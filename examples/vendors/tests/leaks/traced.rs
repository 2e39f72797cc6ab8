//! All that is written to a log while this program runs, by what the crate calls as well: `tracing` and
//! `log`, at every level.

use std::collections::BTreeSet;
use std::fmt::{self, Debug, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, Once};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::canary::Canary;

/// Every line of any thread once, `TARGET LEVEL …`: most of what servers write at TRACE is the same over
/// and over.
static LINES: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Where this file's own test writes the bytes of a key.
const OWN_BYTES: &str = "own bytes";

/// Writes everything down from now on.
pub(crate) fn write_down() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing::subscriber::set_global_default(Everything).unwrap();
        log::set_logger(&Everything).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
    });
}

/// Returns what was written so far.
pub(crate) fn lines() -> Vec<String> {
    LINES.lock().unwrap().iter().cloned().collect()
}

/// Sees that somebody wrote at all.
#[track_caller]
pub(crate) fn is_heard(who: &str) {
    assert!(lines().iter().any(|line| line.starts_with(who)), "nothing was heard of {who}");
}

/// Sees that nobody wrote of a key, whoever it is.
#[track_caller]
pub(crate) fn shows_nothing_of(canary: &Canary) {
    shows_only(canary, |_| false);
}

/// Sees that nobody wrote of a key but in lines that are known.
#[track_caller]
pub(crate) fn shows_only(canary: &Canary, known: impl Fn(&str) -> bool) {
    let mut lines = lines();
    // Five bytes in a row of one random key can be those of another.
    lines.retain(|line| !line.starts_with(OWN_BYTES) && !known(line));
    // Together they are searched sooner than one by one.
    if canary.shown_in(&lines.join("\n")).is_empty() {
        return;
    }
    let telling = lines.iter().find(|line| !canary.shown_in(line).is_empty());
    panic!("a key is written: {telling:?}");
}

struct Everything;

impl Everything {
    fn add(metadata: &Metadata<'_>, record: impl FnOnce(&mut Line)) {
        let name = metadata.name();
        let mut line = Line(format!("{} {} {name}", metadata.target(), metadata.level()));
        record(&mut line);
        LINES.lock().unwrap().insert(line.0);
    }
}

impl Subscriber for Everything {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self::add(span.metadata(), |line| span.record(line));
        Id::from_u64(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut line = Line("a span".to_owned());
        values.record(&mut line);
        LINES.lock().unwrap().insert(line.0);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        Self::add(event.metadata(), |line| event.record(line));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl log::Log for Everything {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = format!("{} {} {}", record.target(), record.level(), record.args());
        LINES.lock().unwrap().insert(line);
    }

    fn flush(&self) {}
}

/// A line, and every field of an event or a span.
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _: fmt::Result = write!(self.0, " {}={value:?}", field.name());
    }
}

/// Who is not heard would seem to show nothing.
#[test]
fn every_level_and_both_ways_are_heard() {
    write_down();
    let canary = Canary::new("key_", 40);
    let key = canary.key.as_str();
    tracing::trace!(target: "one", key, "an event");
    let span = tracing::trace_span!(target: "two", "span", key, later = tracing::field::Empty);
    span.record("later", key);
    log::trace!(target: "three", "{key}");
    tracing::trace!(target: OWN_BYTES, bytes = ?key.as_bytes());
    let lines = lines();
    let telling: Vec<_> = lines.iter().filter(|line| !canary.shown_in(line).is_empty()).collect();
    assert_eq!(telling.len(), 5, "{telling:?}");
}
