//! The connection for the notices of a database. All listeners of this process share it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::time::Duration;

use sha2::{Digest, Sha256};
use sqlx::postgres::PgConnectOptions;
use tokio::sync::{Notify, broadcast, watch};
use tokio::time::{Instant, sleep_until};

use super::deadline::after;
use super::listener::{Listener, LogPlace};
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

/// What a listener asks of a channel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    /// How long an answer may take.
    pub(super) answer: Duration,
    /// After how long without a notice the connection is tested.
    pub(super) quiet: Duration,
    /// How often the listener wants the place in the server's log.
    pub(super) place_every: Option<Duration>,
}

/// A connection that listens, until it fails or until no listener is left.
pub(super) struct Channel {
    /// The task of the channel has the sender, so it ends with the task, and with the task's runtime.
    reports: broadcast::WeakSender<Report>,
    state: watch::Receiver<State>,
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

/// How long a channel waits, in nanoseconds. The least patient listener decides.
#[derive(Debug)]
struct Patience {
    answer: AtomicU64,
    quiet: AtomicU64,
    place_every: AtomicU64,
    shortened: Notify,
}

/// A listener's end of a channel.
pub(super) struct Subscription {
    reports: broadcast::Receiver<Report>,
    /// Keeps the channel open.
    _channel: Arc<Channel>,
    /// Whether the channel was open before.
    joined_open: bool,
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
        let (end, ended) = watch::channel(());
        let patience = Arc::new(Patience::of(wish));
        let channel = Arc::new(Self {
            reports: reports.downgrade(),
            state: seen,
            patience: Arc::clone(&patience),
            _end: end,
        });
        channels.insert(key, Arc::downgrade(&channel));
        let task = Task { options: options.clone(), patience, reports, state };
        tokio::spawn(task.run(ended));
        Subscription { reports: received, _channel: channel, joined_open: false }
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
        let mut tested = Instant::now();
        let mut placed = None;
        loop {
            let shortened = self.patience.shortened.notified();
            let test_at = tested + self.patience.quiet();
            let place_at = self.patience.place_every().map(|every| match placed {
                Some(placed) => placed + every,
                None => tested,
            });
            let due = place_at.map_or(test_at, |at| test_at.min(at));
            let report = tokio::select! {
                heard = listener.next() => heard.map(Report::Changed),
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
}

impl Patience {
    fn of(wish: Wish) -> Self {
        let [answer, quiet, place_every] = wish.nanoseconds().map(AtomicU64::new);
        Self { answer, quiet, place_every, shortened: Notify::new() }
    }

    fn shorten(&self, wish: Wish) {
        let [answer, quiet, place_every] = wish.nanoseconds();
        self.answer.fetch_min(answer, Ordering::Relaxed);
        self.quiet.fetch_min(quiet, Ordering::Relaxed);
        self.place_every.fetch_min(place_every, Ordering::Relaxed);
        self.shortened.notify_one();
    }

    fn answer(&self) -> Duration {
        Duration::from_nanos(self.answer.load(Ordering::Relaxed))
    }

    fn quiet(&self) -> Duration {
        let quiet = Duration::from_nanos(self.quiet.load(Ordering::Relaxed));
        // Any duration can be waited for.
        after(quiet) - Instant::now()
    }

    fn place_every(&self) -> Option<Duration> {
        let every = self.place_every.load(Ordering::Relaxed);
        (every != u64::MAX).then_some(Duration::from_nanos(every))
    }
}

impl Wish {
    fn nanoseconds(self) -> [u64; 3] {
        let place_every = self.place_every.unwrap_or(Duration::MAX);
        [self.answer, self.quiet, place_every]
            .map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

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
