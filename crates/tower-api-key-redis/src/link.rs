//! The state of the connection to a server. Background tasks make the connection, and make it again
//! after it broke.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use tokio::sync::watch;

use super::address::Address;
use super::breaker::Breaker;
use super::dialer::{Dialed, Dialer};
use super::failure::Failure;
use super::greeting::ServerRole;
use super::home::Home;
use super::sentinels::Sentinels;

/// The pause between two questions to the Sentinels.
const WATCHING: Duration = Duration::from_secs(1);

/// The connection and its state.
pub(super) struct Link {
    dialer: Dialer,
    pub(super) timeout: Duration,
    pub(super) breaker: Breaker,
    home: Home,
    pub(super) state: watch::Sender<LinkState>,
    /// True if the server of the latest connection says that it stands alone.
    stands_alone: AtomicBool,
}

/// The state of the connection.
#[derive(Clone)]
pub(super) enum LinkState {
    /// No call was made yet.
    Unused,
    /// A task makes the connection, and calls wait for it.
    Connecting,
    /// Connected; the number identifies this connection.
    Up(MultiplexedConnection, u64),
    /// Calls fail, and a task tries to connect from time to time.
    Down(Arc<Failure>),
}

impl Link {
    pub(super) fn new(dialer: Dialer, timeout: Duration, breaker: Breaker, home: Home) -> Self {
        let (state, stands_alone) = (watch::Sender::new(LinkState::Unused), AtomicBool::new(false));
        Self { dialer, timeout, breaker, home, state, stands_alone }
    }

    /// Returns the runtime of the connection.
    pub(super) const fn home(&self) -> &Home {
        &self.home
    }

    /// Returns true if calls fail at once.
    pub(super) fn is_down(&self) -> bool {
        matches!(*self.state.borrow(), LinkState::Down(_))
    }

    /// Returns the connection, if it is up.
    pub(super) fn connection(&self) -> Option<MultiplexedConnection> {
        match &*self.state.borrow() {
            LinkState::Up(connection, _) => Some(connection.clone()),
            _ => None,
        }
    }

    /// Returns true if the server is a node of a cluster.
    pub(super) const fn is_of_cluster(&self) -> bool {
        matches!(self.dialer.role(), ServerRole::Node)
    }

    /// Returns true if one call may have the Redis keys of several accounts: the server said that it stands alone. A proxy
    /// may spread the keys over several servers.
    pub(super) fn stands_alone(&self) -> bool {
        self.stands_alone.load(Ordering::Acquire)
    }

    /// Called when the server refused keys of several slots.
    pub(super) fn is_of_many(&self) {
        self.stands_alone.store(false, Ordering::Release);
    }

    /// Starts to connect, unless the link was used already.
    pub(super) fn begin(self: &Arc<Self>) {
        let begin = |state: &mut LinkState| {
            let unused = matches!(state, LinkState::Unused);
            if unused {
                *state = LinkState::Connecting;
            }
            unused
        };
        if self.state.send_if_modified(begin) {
            self.connect(None, 1);
        }
    }

    /// Waits until the connection is up or down.
    pub(super) async fn wait(self: &Arc<Self>) -> Result<(MultiplexedConnection, u64), Failure> {
        // Nearly always. It needs no subscription.
        if let LinkState::Up(connection, number) = &*self.state.borrow() {
            return Ok((connection.clone(), *number));
        }
        let mut states = self.state.subscribe();
        loop {
            match &*states.borrow_and_update() {
                LinkState::Up(connection, number) => return Ok((connection.clone(), *number)),
                LinkState::Down(cause) => return Err(Failure::down(cause)),
                LinkState::Unused | LinkState::Connecting => {}
            }
            self.begin();
            if states.changed().await.is_err() {
                return Err(Failure::RuntimeEnded);
            }
        }
    }

    /// Replaces a connection that broke, unless another call has replaced it already.
    pub(super) fn reconnect(self: &Arc<Self>, number: u64) {
        if self.replace(Some(number), &LinkState::Connecting) {
            self.connect(None, number + 1);
        }
    }

    /// Lets all calls fail until the server answers again. Drops the connection as well, because a connection
    /// without answers may be dead.
    pub(super) fn give_up(self: &Arc<Self>, number: Option<u64>, failure: &Failure) {
        if self.replace(number, &LinkState::Down(Arc::new(failure.clone()))) {
            self.connect(Some(self.breaker.pause()), number.unwrap_or(0) + 1);
        }
    }

    /// Replaces the connection of this number by another state. Returns false if it was replaced already.
    fn replace(&self, number: Option<u64>, by: &LinkState) -> bool {
        self.state.send_if_modified(|state| {
            let same = matches!(state, LinkState::Up(_, its_number) if Some(*its_number) == number);
            if same {
                *state = by.clone();
            }
            same
        })
    }

    /// Starts the task that connects, after a pause if there is one. At most one such task runs, and it ends
    /// when the limiter is dropped.
    pub(super) fn connect(self: &Arc<Self>, pause: Option<Duration>, number: u64) {
        let ending = Ending(Arc::downgrade(self));
        let task = connect(Arc::downgrade(self), pause, number, ending);
        // Without a runtime the task is dropped, and `Ending` sets the state.
        let _ = self.home.spawn(task);
    }
}

async fn connect(link: Weak<Link>, mut pause: Option<Duration>, number: u64, mut ending: Ending) {
    loop {
        if let Some(pause) = pause {
            tokio::time::sleep(pause).await;
        }
        let Some(link) = link.upgrade() else { return };
        match link.dialer.dial(link.timeout).await {
            Ok(Dialed { connection, named, stands_alone }) => {
                link.stands_alone.store(stands_alone, Ordering::Release);
                // Before the state is up: a call could find the connection broken and start another task.
                ending.0 = Weak::new();
                link.state.send_replace(LinkState::Up(connection, number));
                if let (Some(address), Dialer::Primary(sentinels)) = (named, &link.dialer) {
                    let _ = link.home.spawn(watch(
                        Arc::downgrade(&link),
                        sentinels.clone(),
                        address,
                        number,
                    ));
                }
                return;
            }
            Err(failure) => {
                link.state.send_replace(LinkState::Down(Arc::new(failure)));
                pause = Some(link.breaker.pause());
            }
        }
    }
}

/// Asks the Sentinels now and then for the primary of a connection, until it is another one or the connection is
/// replaced. A primary that is cut off from the Sentinels goes on to answer.
async fn watch(link: Weak<Link>, sentinels: Sentinels, address: Address, number: u64) {
    loop {
        tokio::time::sleep(WATCHING).await;
        let is_up = |link: &Arc<Link>| matches!(*link.state.borrow(), LinkState::Up(_, current) if current == number);
        let Some(timeout) = link.upgrade().filter(is_up).map(|link| link.timeout) else { return };
        if let Ok(primary) = sentinels.primary(timeout).await
            && primary != address
            && let Some(link) = link.upgrade()
        {
            link.reconnect(number);
            return;
        }
    }
}

/// Sets the state to down if the task that connects ends without a connection, for example with its runtime.
struct Ending(Weak<Link>);

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some(link) = self.0.upgrade() {
            link.state.send_replace(LinkState::Down(Arc::new(Failure::RuntimeEnded)));
        }
    }
}
