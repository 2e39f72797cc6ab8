//! The state of the one connection to the server. Background tasks make the connection, and make it again
//! after it broke.

use std::sync::{Arc, Weak};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisResult};
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::breaker::Breaker;
use super::failure::Failure;
#[cfg(feature = "testing")]
use super::stream_source::{self, StreamSource};
use super::unreachable::Unreachable;

/// The longest time to make a connection, whatever the timeout of calls is.
const CONNECTING: Duration = Duration::from_secs(1);

/// The calls that the connection buffers. Further calls wait for room in the buffer.
const LINE: usize = 1024;

/// The connection and its state.
pub(super) struct Link {
    pub(super) client: Client,
    pub(super) timeout: Duration,
    pub(super) breaker: Breaker,
    /// The runtime of the connection. `None` means the runtime of the first request.
    home: Option<Handle>,
    pub(super) state: watch::Sender<LinkState>,
    #[cfg(feature = "testing")]
    pub(super) streams: Option<Arc<dyn StreamSource>>,
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
    pub(super) fn new(client: Client, timeout: Duration, breaker: Breaker) -> Self {
        let (state, home) = (watch::Sender::new(LinkState::Unused), Handle::try_current().ok());
        Self {
            client,
            timeout,
            breaker,
            home,
            state,
            #[cfg(feature = "testing")]
            streams: None,
        }
    }

    pub(super) fn spawn(
        &self,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Failure> {
        let home = self.home.clone().or_else(|| Handle::try_current().ok());
        home.ok_or(Failure::RuntimeEnded)?.spawn(task);
        Ok(())
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
        let _ = self.spawn(task);
    }

    async fn open(&self, config: &AsyncConnectionConfig) -> RedisResult<MultiplexedConnection> {
        #[cfg(feature = "testing")]
        if let Some(streams) = &self.streams {
            return stream_source::connect(&**streams, &self.client, config).await;
        }
        self.client.get_multiplexed_async_connection_with_config(config).await
    }

    async fn attempt(&self) -> Result<MultiplexedConnection, Failure> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECTING))
            .set_response_timeout(None)
            .set_pipeline_buffer_size(LINE);
        let made = async {
            let connected = self.open(&config).await;
            let mut connection = connected.map_err(|error| Failure::connecting(&error))?;
            // A server may accept connections and not answer, if it is stopped or still loads its data.
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
                // Before the state is up: a call could find the connection broken and start another task.
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

/// Sets the state to down if the task that connects ends without a connection, for example with its runtime.
struct Ending(Weak<Link>);

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some(link) = self.0.upgrade() {
            link.state.send_replace(LinkState::Down(Arc::new(Failure::RuntimeEnded)));
        }
    }
}
