//! The connection for the notices of a database. All listeners of this process share it.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use sha2::{Digest, Sha256};
use sqlx::postgres::PgConnectOptions;
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, sleep_until};

use super::listener::{Listener, LogPlace, Notice};
use super::patience::{Patience, Wish};
use tower_api_key::store::{Invalidation, StoreError};

/// The notices that a slow listener may be behind. It learns that more were lost.
const BACKLOG: usize = 1_024;

/// The channels in use, by the SHA-256 of their options: a map that lives as long as the process holds no password.
static CHANNELS: LazyLock<Mutex<HashMap<[u8; 32], Weak<Channel>>>> = LazyLock::new(Mutex::default);

/// What a channel reports to its listeners.
#[derive(Debug, Clone)]
pub(super) enum Report {
    /// Notices come from now on.
    Open,
    Changed(Invalidation),
    Place(LogPlace),
    /// The connection failed, and the channel with it.
    Failed(Arc<StoreError>),
}

/// A connection that listens, until it fails or until no listener is left.
pub(super) struct Channel {
    /// The task of the channel has the sender, so it ends with the task, and with the task's runtime.
    reports: broadcast::WeakSender<Report>,
    state: watch::Receiver<State>,
    /// Counts what told that events were written.
    events: watch::Receiver<u64>,
    patience: Arc<Patience>,
    /// Ends the task when the channel is dropped.
    _end: watch::Sender<()>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Opening,
    Open,
    Over,
}

/// A listener's end of a channel.
pub(super) struct Subscription {
    reports: broadcast::Receiver<Report>,
    /// Keeps the channel open.
    _channel: Arc<Channel>,
    /// Whether the channel was open before.
    joined_open: bool,
}

/// A delivery's end of a channel.
pub(super) struct EventSubscription {
    events: watch::Receiver<u64>,
    /// Keeps the channel open.
    _channel: Arc<Channel>,
}

impl Channel {
    /// Joins the channel of a database, or opens one.
    pub(super) fn join(options: &PgConnectOptions, wish: Wish) -> Subscription {
        let key = key(options);
        let mut channels = CHANNELS.lock().unwrap_or_else(PoisonError::into_inner);
        channels.retain(|_, channel| channel.strong_count() > 0);
        if let Some(channel) = channels.get(&key).and_then(Weak::upgrade) {
            // A channel whose task has ended has no sender any more.
            if let Some(reports) = channel.reports.upgrade() {
                let reports = reports.subscribe();
                let state = *channel.state.borrow();
                if state != State::Over {
                    channel.patience.shorten(wish);
                    let joined_open = state == State::Open;
                    return Subscription { reports, _channel: channel, joined_open };
                }
            }
        }
        let (reports, received) = broadcast::channel(BACKLOG);
        let (state, seen) = watch::channel(State::Opening);
        let (written, events) = watch::channel(0);
        let (end, ended) = watch::channel(());
        let patience = Arc::new(Patience::of(wish));
        let channel = Arc::new(Self {
            reports: reports.downgrade(),
            state: seen,
            events,
            patience: Arc::clone(&patience),
            _end: end,
        });
        channels.insert(key, Arc::downgrade(&channel));
        let task = Task { options: options.clone(), patience, reports, written, state };
        tokio::spawn(task.run(ended));
        Subscription { reports: received, _channel: channel, joined_open: false }
    }
}

impl EventSubscription {
    /// Joins the channel of a database, or opens one.
    pub(super) fn join(options: &PgConnectOptions, wish: Wish) -> Self {
        let Subscription { _channel: channel, .. } = Channel::join(options, wish);
        Self { events: channel.events.clone(), _channel: channel }
    }

    /// Waits until events were written, or may have been: the channel was opened. Returns false if the channel is over.
    pub(super) async fn next(&mut self) -> bool {
        self.events.changed().await.is_ok()
    }
}

/// Names a server, and all else that decides on a connection to it. sqlx panics when it writes some hosts into a
/// URL. What it prints has each option, and texts in quotes, so that none can look like two.
fn key(options: &PgConnectOptions) -> [u8; 32] {
    Sha256::digest(format!("{options:?}")).into()
}

impl Subscription {
    /// Waits for the next report. An error means that the channel is over.
    pub(super) async fn next(&mut self) -> Report {
        if std::mem::take(&mut self.joined_open) {
            return Report::Open;
        }
        match self.reports.recv().await {
            Ok(report) => report,
            Err(broadcast::error::RecvError::Lagged(_)) => {
                Report::Changed(Invalidation::Everything)
            }
            Err(broadcast::error::RecvError::Closed) => Report::Failed(Arc::new(StoreError::new(
                "the connection for notifications was lost",
            ))),
        }
    }
}

/// The task of a channel.
struct Task {
    options: PgConnectOptions,
    patience: Arc<Patience>,
    reports: broadcast::Sender<Report>,
    written: watch::Sender<u64>,
    state: watch::Sender<State>,
}

impl Task {
    async fn run(self, mut end: watch::Receiver<()>) {
        let mut listener = None;
        let failed = tokio::select! {
            _ = end.changed() => return,
            failed = self.listen(&mut listener) => failed,
        };
        let _ = self.state.send(State::Over);
        let _ = self.reports.send(Report::Failed(Arc::new(failed)));
        let options = self.options.clone();
        drop(self);
        if let Some(listener) = listener {
            listener.end(options).await;
        }
    }

    /// Listens until the connection fails, and returns why.
    async fn listen(&self, slot: &mut Option<Listener>) -> StoreError {
        let connected = Listener::connect(&self.options, self.patience.answer()).await;
        let listener = match connected {
            Ok(listener) => slot.insert(listener),
            Err(error) => return error,
        };
        let _ = self.state.send(State::Open);
        let _ = self.reports.send(Report::Open);
        self.tell_of_events();
        let mut tested = Instant::now();
        let mut placed = None;
        loop {
            let shortened = self.patience.shortened();
            let test_at = tested + self.patience.quiet();
            let place_at = self.patience.place_every().map(|every| match placed {
                Some(placed) => placed + every,
                None => tested,
            });
            let due = place_at.map_or(test_at, |at| test_at.min(at));
            let report = tokio::select! {
                heard = listener.next() => match heard {
                    Ok(Notice::Events) => {
                        tested = Instant::now();
                        self.tell_of_events();
                        continue;
                    }
                    Ok(Notice::Changed(what)) => Ok(Report::Changed(what)),
                    Err(error) => Err(error),
                },
                () = shortened => continue,
                () = sleep_until(due) => {
                    let answer = self.patience.answer();
                    if place_at.is_some_and(|at| at == due) {
                        listener.place(answer).await.map(|place| {
                            placed = Some(place.asked);
                            Report::Place(place)
                        })
                    } else {
                        match listener.test(answer).await {
                            Ok(()) => {
                                tested = Instant::now();
                                continue;
                            }
                            Err(error) => Err(error),
                        }
                    }
                }
            };
            match report {
                Ok(report) => {
                    tested = Instant::now();
                    let _ = self.reports.send(report);
                }
                Err(error) => return error,
            }
        }
    }

    fn tell_of_events(&self) {
        self.written.send_modify(|count| *count = count.wrapping_add(1));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn each_server_and_way_to_it_has_a_channel_of_its_own() {
        let options = || {
            let options = PgConnectOptions::new_without_pgpass().host("db.example").port(5432);
            options.username("ada").database("keys")
        };
        let all = [
            options(),
            options().host("::1"),
            options().host("fe80::1%eth0"),
            options().host("db.example:5432/x"),
            options().port(5433),
            options().socket("/run"),
            options().username("ada/keys?"),
            options().username("ada").database("keys/x"),
            options().username("ada\", database: Some(\"keys"),
            options().password("hunter2"),
            options().ssl_mode(sqlx::postgres::PgSslMode::VerifyFull),
            options().ssl_root_cert("/a.pem"),
            options().options([("search_path", "other")]),
            options().application_name("gate"),
        ];
        let keys: HashSet<_> = all.iter().map(key).collect();
        assert_eq!(keys.len(), all.len());
        assert_eq!(key(&options()), key(&options()));
        let wish = Wish { answer: Duration::ZERO, quiet: Duration::ZERO, place_every: None };
        for options in &all {
            drop(Channel::join(options, wish));
        }
    }
}
