//! The one connection to a server: made in the background, given up, and made again.

use std::sync::{Arc, Weak};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client};
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::breaker::Breaker;
use super::failure::Failure;
use super::unreachable::Unreachable;

/// How long a connection may take to be made, whatever a call may take.
const CONNECTING: Duration = Duration::from_secs(1);

/// Calls that may stand in line for the connection; more of them wait for that.
const LINE: usize = 1024;

/// The connection, and what becomes of it.
pub(super) struct Link {
    pub(super) client: Client,
    pub(super) timeout: Duration,
    pub(super) breaker: Breaker,
    /// Where the connection is driven; else where the first request is.
    home: Option<Handle>,
    pub(super) state: watch::Sender<LinkState>,
}

/// How the connection stands.
#[derive(Clone)]
pub(super) enum LinkState {
    /// Nothing was asked yet.
    Unused,
    /// It is being made, for the first time or again; calls wait for it.
    Connecting,
    /// Connected; the number identifies this connection.
    Up(MultiplexedConnection, u64),
    /// It is tried from time to time, and calls fail.
    Down(Arc<Failure>),
}

impl Link {
    pub(super) fn new(client: Client, timeout: Duration, breaker: Breaker) -> Self {
        let (state, home) = (watch::Sender::new(LinkState::Unused), Handle::try_current().ok());
        Self { client, timeout, breaker, home, state }
    }

    pub(super) fn spawn(
        &self,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Failure> {
        let home = self.home.clone().or_else(|| Handle::try_current().ok());
        home.ok_or(Failure::RuntimeEnded)?.spawn(task);
        Ok(())
    }

    /// Makes another connection in place of one that broke, if nobody has yet.
    pub(super) fn reconnect(self: &Arc<Self>, number: u64) {
        if self.replace(Some(number), &LinkState::Connecting) {
            self.connect(None, number + 1);
        }
    }

    /// Lets all calls fail until the server answers again. The connection goes, too: one that was
    /// answered nothing may lead nowhere.
    pub(super) fn give_up(self: &Arc<Self>, number: Option<u64>, failure: &Failure) {
        if self.replace(number, &LinkState::Down(Arc::new(failure.clone()))) {
            self.connect(Some(self.breaker.pause()), number.unwrap_or(0) + 1);
        }
    }

    /// Replaces a connection by another state, unless another was made since.
    fn replace(&self, number: Option<u64>, by: &LinkState) -> bool {
        self.state.send_if_modified(|state| {
            let same = matches!(state, LinkState::Up(_, its_number) if Some(*its_number) == number);
            if same {
                *state = by.clone();
            }
            same
        })
    }

    /// Makes a connection in the background, after a pause if there is one; there is only ever one that
    /// does. It ends with the limiter.
    pub(super) fn connect(self: &Arc<Self>, pause: Option<Duration>, number: u64) {
        let ending = Ending(Arc::downgrade(self));
        let task = connect(Arc::downgrade(self), pause, number, ending);
        // If it cannot be spawned, it is dropped, and says so itself.
        let _ = self.spawn(task);
    }

    async fn attempt(&self) -> Result<MultiplexedConnection, Failure> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECTING))
            .set_response_timeout(None)
            .set_pipeline_buffer_size(LINE);
        let made = async {
            let client = &self.client;
            let connected = client.get_multiplexed_async_connection_with_config(&config).await;
            let mut connection = connected.map_err(|error| Failure::connecting(&error))?;
            // A server that accepts connections does not yet answer: it may be stopped, or loading.
            redis::cmd("PING").exec_async(&mut connection).await?;
            Ok(connection)
        };
        let made = tokio::time::timeout(CONNECTING, made).await;
        made.unwrap_or(Err(Failure::Connection(Unreachable::TimedOut, None)))
    }
}

async fn connect(link: Weak<Link>, mut pause: Option<Duration>, number: u64, mut ending: Ending) {
    loop {
        if let Some(pause) = pause {
            tokio::time::sleep(pause).await;
        }
        let Some(link) = link.upgrade() else { return };
        match link.attempt().await {
            Ok(connection) => {
                // Before anybody can find it broken, and begin another of these.
                ending.0 = Weak::new();
                link.state.send_replace(LinkState::Up(connection, number));
                return;
            }
            Err(failure) => {
                link.state.send_replace(LinkState::Down(Arc::new(failure)));
                pause = Some(link.breaker.pause());
            }
        }
    }
}

/// Says so when the task that connects ends without a connection, as it does with its runtime.
struct Ending(Weak<Link>);

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some(link) = self.0.upgrade() {
            link.state.send_replace(LinkState::Down(Arc::new(Failure::RuntimeEnded)));
        }
    }
}
