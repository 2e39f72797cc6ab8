//! Calls to the server, over the one connection that all requests share.

use std::sync::Arc;
use std::time::Duration;

use redis::Client;
use redis::aio::MultiplexedConnection;

use super::breaker::Breaker;
use super::call::Call;
use super::failure::{Consequence, Failure};
use super::link::{Link, LinkState};
#[cfg(feature = "testing")]
use super::stream_source::StreamSource;
use super::unreachable::Unreachable;

/// A connection to the server. Calls have a timeout, and fail at once while the server is down.
#[derive(Clone)]
pub(super) struct Connection(Arc<Link>);

impl Connection {
    pub(super) fn new(client: Client, timeout: Duration, breaker: Breaker) -> Self {
        Self(Arc::new(Link::new(client, timeout, breaker)))
    }

    /// Opens streams of a simulation in place of sockets.
    #[cfg(feature = "testing")]
    pub(super) fn streams_by(mut self, streams: Option<Arc<dyn StreamSource>>) -> Self {
        if let Some(link) = Arc::get_mut(&mut self.0) {
            link.streams = streams;
        }
        self
    }

    /// Runs a task on the connection's runtime.
    pub(super) fn spawn(
        &self,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Failure> {
        self.0.spawn(task)
    }

    /// Returns true if the last call failed, so that the next one may fail as well.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.0.breaker.counts_failures()
    }

    /// Returns true if calls fail at once, because there is no connection.
    pub(super) fn is_down(&self) -> bool {
        matches!(*self.0.state.borrow(), LinkState::Down(_))
    }

    /// Returns the longest time that a call may take.
    pub(super) fn timeout(&self) -> Duration {
        self.0.timeout
    }

    /// Calls a script.
    pub(super) async fn call(&self, call: &Call<'_>) -> Result<Vec<i64>, Failure> {
        // A server that is down costs a read of the state, and no timer.
        if let LinkState::Down(cause) = &*self.0.state.borrow() {
            return Err(Failure::down(cause));
        }
        let mut number = None;
        let answered = tokio::time::timeout(self.0.timeout, self.attempts(call, &mut number));
        let Ok(answer) = answered.await else {
            let failure = Failure::Timeout(self.0.timeout);
            if self.0.breaker.failed() {
                self.0.give_up(number, &failure);
            }
            return Err(failure);
        };
        answer
    }

    async fn attempts(
        &self,
        call: &Call<'_>,
        number: &mut Option<u64>,
    ) -> Result<Vec<i64>, Failure> {
        // A connection may have broken while it was idle, which shows at the next call. So a call is
        // repeated once. If the connection broke after the server ran the call, this charges twice.
        for further in [true, false] {
            let (mut connection, its_number) = self.connection().await?;
            *number = Some(its_number);
            let error = match call.make(&mut connection).await {
                Ok(answer) => {
                    self.0.breaker.succeeded();
                    return Ok(answer);
                }
                Err(error) => error,
            };
            let (failure, consequence) = Failure::new(&error);
            // Repeated refusals count as no answer, so that not every request pays for one.
            if consequence != Consequence::None && self.0.breaker.failed() {
                self.0.give_up(*number, &failure);
            } else if consequence == Consequence::Reconnect {
                self.0.reconnect(its_number);
            }
            if consequence != Consequence::Reconnect || call.once || !further {
                return Err(failure);
            }
        }
        Err(Failure::Connection(Unreachable::Closed, None))
    }

    /// Waits until the connection is up or down.
    async fn connection(&self) -> Result<(MultiplexedConnection, u64), Failure> {
        let mut states = self.0.state.subscribe();
        loop {
            match &*states.borrow_and_update() {
                LinkState::Up(connection, number) => return Ok((connection.clone(), *number)),
                LinkState::Down(cause) => return Err(Failure::down(cause)),
                LinkState::Unused | LinkState::Connecting => {}
            }
            let begin = |state: &mut LinkState| {
                let unused = matches!(state, LinkState::Unused);
                if unused {
                    *state = LinkState::Connecting;
                }
                unused
            };
            if self.0.state.send_if_modified(begin) {
                self.0.connect(None, 1);
            } else if states.changed().await.is_err() {
                return Err(Failure::RuntimeEnded);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use redis::Script;

    use super::*;
    use crate::faulty_server::{FaultyServer, HANGS_UP};

    const PATIENT: u32 = 9;

    fn connection(url: &str, patience: u32) -> Connection {
        let client = Client::open(url).unwrap();
        Connection::new(client, Duration::from_secs(20), Breaker::new(patience))
    }

    /// Returns the number of the connection that is up.
    fn number(connection: &Connection) -> Option<u64> {
        match *connection.0.state.borrow() {
            LinkState::Up(_, number) => Some(number),
            _ => None,
        }
    }

    fn names(server: &FaultyServer) -> Vec<String> {
        server.heard().into_iter().map(|mut words| words.swap_remove(0)).collect()
    }

    #[tokio::test]
    async fn a_call_is_repeated_over_another_connection_unless_it_must_not_be() {
        let script = Script::new("return {7}");
        for (once, expected) in [(false, 2), (true, 1)] {
            let server = FaultyServer::start(&[]).await;
            let connection = connection(&server.url, PATIENT);
            let call = Call { once, ..Call::new(&script) };
            assert!(matches!(connection.call(&call).await, Err(Failure::Connection(..))));
            assert_eq!(server.heard().len(), expected);
        }
        let server = FaultyServer::start(&[HANGS_UP, "*1\r\n:7"]).await;
        let connection = connection(&server.url, PATIENT);
        assert_eq!(connection.call(&Call::new(&script)).await.unwrap(), [7]);
        assert_eq!(number(&connection), Some(2));
        // A call that used the first connection, and sees only now that it broke, does not replace the second.
        connection.0.reconnect(1);
        connection.0.give_up(Some(1), &Failure::Nonsense);
        assert_eq!(number(&connection), Some(2));
    }

    #[tokio::test]
    async fn a_script_is_loaded_if_the_server_does_not_know_it_and_for_no_other_error() {
        // The answer is the hash of the script.
        const LOADED: &str = "+cccd6fcfb5393611f81eb26a1755420e34c21067";
        let script = Script::new("return {7}");
        let server =
            FaultyServer::start(&["-NOSCRIPT no matching script", LOADED, "*1\r\n:7"]).await;
        let answer = connection(&server.url, PATIENT).call(&Call::new(&script)).await;
        assert_eq!(answer.unwrap(), [7]);
        assert_eq!(names(&server), ["EVALSHA", "SCRIPT", "EVALSHA"]);

        let server = FaultyServer::start(&["-OOM no memory", LOADED, "*1\r\n:7"]).await;
        let answer = connection(&server.url, PATIENT).call(&Call::new(&script)).await;
        assert!(matches!(answer, Err(Failure::Refused(said)) if said.code() == "OOM"));
        assert_eq!(names(&server), ["EVALSHA"]);
    }

    /// The answers of servers on the wire. The last one is the answer after a new connection.
    const NOT_HERE: &[&[&str]] = &[
        &["-READONLY You can't write against a read only replica.", SEVEN],
        &[
            "-ERR Error running script (call to f_cccd6fcfb5393611f81eb26a1755420e34c21067): \
             @user_script:1: @user_script: 1: -READONLY You can't write against a read only replica.",
            SEVEN,
        ],
        &["-MOVED 3999 127.0.0.1:6381", SEVEN],
        &["-ASK 3999 127.0.0.1:6381", SEVEN],
        &["-LOADING Redis is loading the dataset in memory", SEVEN],
        &["-MASTERDOWN Link with MASTER is down", SEVEN],
        &["-CLUSTERDOWN The cluster is down", SEVEN],
        &["-NOAUTH Authentication required.", SEVEN],
        &["-NOPERM this user has no permissions to run the 'evalsha' command", SEVEN],
        &["-WRONGPASS invalid username-password pair or user is disabled.", SEVEN],
        &["-NOSCRIPT no matching script", "-READONLY You can't write.", SEVEN],
    ];
    const SEVEN: &str = "*1\r\n:7";

    #[tokio::test]
    async fn a_server_that_is_the_wrong_one_is_left_for_another_connection() {
        let script = Script::new("return {7}");
        for answers in NOT_HERE {
            let server = FaultyServer::start(answers).await;
            let connection = connection(&server.url, PATIENT);
            assert_eq!(connection.call(&Call::new(&script)).await.unwrap(), [7], "{answers:?}");
            assert_eq!(number(&connection), Some(2), "{answers:?}");
        }
    }

    #[tokio::test]
    async fn repeated_refusals_count_as_no_answer() {
        let script = Script::new("return {7}");
        for (answer, is_counted) in [
            (&["-ERR no"; 9], true),
            (&["-OOM no memory"; 9], true),
            (&["-MISCONF no disk"; 9], true),
            (&["-FUTURE no"; 9], true),
            (&["+OK"; 9], true),
            (&["-READONLY no"; 9], true),
            (&["-WRONGTYPE no hash"; 9], false),
            (&["-ERR Error running script: @user_script:1: WRONGTYPE no hash"; 9], false),
        ] {
            let server = FaultyServer::start(answer).await;
            let connection = connection(&server.url, 3);
            let mut answers = Vec::new();
            for _ in 0..5 {
                answers.push(connection.call(&Call::new(&script)).await.unwrap_err());
            }
            let is_down = matches!(answers.last(), Some(Failure::Down(..)));
            assert_eq!(is_down, is_counted, "{answer:?}: {answers:?}");
            assert!(!is_counted || server.heard().len() == 3, "{answer:?}");
            // A background task connects again.
            let mut states = connection.0.state.subscribe();
            let is_up = states.wait_for(|state| matches!(state, LinkState::Up(..)));
            tokio::time::timeout(Duration::from_secs(20), is_up).await.unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn calls_fail_at_once_until_there_is_another_connection() {
        let script = Script::new("return {7}");
        let server = FaultyServer::start(&[HANGS_UP, "*1\r\n:7"]).await;
        let connection = connection(&server.url, 1);
        let answer = connection.call(&Call::new(&script)).await;
        assert!(matches!(answer, Err(Failure::Down(..))), "{answer:?}");
        assert_eq!(server.heard().len(), 1);
        let mut states = connection.0.state.subscribe();
        let is_up = states.wait_for(|state| matches!(state, LinkState::Up(..)));
        tokio::time::timeout(Duration::from_secs(20), is_up).await.unwrap().unwrap();
        assert_eq!(number(&connection), Some(2));
        assert_eq!(connection.call(&Call::new(&script)).await.unwrap(), [7]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_waits_for_a_connection_fails_when_its_runtime_ends() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let connection = {
            let _inside = runtime.enter();
            connection("redis://127.0.0.1", PATIENT)
        };
        let script = Script::new("return {7}");
        let call = Call::new(&script);
        // The runtime does not run, so the connection is never made.
        let ends = async { runtime.shutdown_background() };
        let (answer, ()) = tokio::join!(connection.call(&call), ends);
        let Err(Failure::Down(cause, _)) = answer else { panic!("{answer:?}") };
        assert!(matches!(*cause, Failure::RuntimeEnded));
    }
}
