//! The one connection that all requests share: made at the first of them, and made again by itself.

use std::sync::{Arc, Weak};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, Script};
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::breaker::Breaker;
use super::failure::{Consequence, Failure};
use super::unreachable::Unreachable;

/// How long a connection may take to be made, whatever a call may take.
const CONNECTING: Duration = Duration::from_secs(1);

/// Calls that may stand in line for the connection; more of them wait for that.
const LINE: usize = 1024;

/// Asks a server, within a time, and not at all while it does not answer.
#[derive(Clone)]
pub(super) struct Connection(Arc<Shared>);

struct Shared {
    client: Client,
    timeout: Duration,
    breaker: Breaker,
    /// Where the connection is driven; else where the first request is.
    home: Option<Handle>,
    state: watch::Sender<State>,
}

/// A call of a script.
pub(super) struct Call<'a> {
    script: &'a Script,
    /// To which keys and arguments are added.
    pub(super) command: Cmd,
    /// Whether it must never be made twice, as it may be if its connection breaks.
    pub(super) once: bool,
}

impl<'a> Call<'a> {
    pub(super) fn new(script: &'a Script) -> Self {
        let mut command = redis::cmd("EVALSHA");
        command.arg(script.get_hash());
        Self { script, command, once: false }
    }
}

#[derive(Clone)]
enum State {
    /// Nothing was asked yet.
    Unused,
    /// It is being made, for the first time or again; calls wait for it.
    Connecting,
    /// It is there, and the how manieth it is.
    Up(MultiplexedConnection, u64),
    /// It is tried from time to time, and calls fail.
    Down(Arc<Failure>),
}

impl Connection {
    pub(super) fn new(client: Client, timeout: Duration, breaker: Breaker) -> Self {
        let (state, home) = (watch::Sender::new(State::Unused), Handle::try_current().ok());
        Self(Arc::new(Shared { client, timeout, breaker, home, state }))
    }

    /// Runs a task where the connection is driven.
    pub(super) fn spawn(
        &self,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Failure> {
        self.0.spawn(task)
    }

    /// Calls a script.
    pub(super) async fn call(&self, call: &Call<'_>) -> Result<Vec<i64>, Failure> {
        // What a server that is down costs: a look at the state, and not a timer.
        if let State::Down(cause) = &*self.0.state.borrow() {
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
        // A connection may have been cut while it was idle, which shows when it is used. If it broke
        // later than that, this charges twice what passes once.
        for further in [true, false] {
            let (mut connection, its_number) = self.connection().await?;
            *number = Some(its_number);
            let error = match ask(&mut connection, call).await {
                Ok(answer) => {
                    self.0.breaker.succeeded();
                    return Ok(answer);
                }
                Err(error) => error,
            };
            let (failure, consequence) = Failure::new(&error);
            // A refusal that lasts is as good as no answer: nobody pays for it again and again.
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

    /// Waits until there is a connection, or none is to be had.
    async fn connection(&self) -> Result<(MultiplexedConnection, u64), Failure> {
        let mut states = self.0.state.subscribe();
        loop {
            match &*states.borrow_and_update() {
                State::Up(connection, number) => return Ok((connection.clone(), *number)),
                State::Down(cause) => return Err(Failure::down(cause)),
                State::Unused | State::Connecting => {}
            }
            let begin = |state: &mut State| {
                let unused = matches!(state, State::Unused);
                if unused {
                    *state = State::Connecting;
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

impl Shared {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> Result<(), Failure> {
        let home = self.home.clone().or_else(|| Handle::try_current().ok());
        home.ok_or(Failure::RuntimeEnded)?.spawn(task);
        Ok(())
    }

    /// Makes another connection in place of one that broke, if nobody has yet.
    fn reconnect(self: &Arc<Self>, number: u64) {
        if self.replace(Some(number), &State::Connecting) {
            self.connect(None, number + 1);
        }
    }

    /// Lets all calls fail until the server answers again. The connection goes, too: one that was
    /// answered nothing may lead nowhere.
    fn give_up(self: &Arc<Self>, number: Option<u64>, failure: &Failure) {
        if self.replace(number, &State::Down(Arc::new(failure.clone()))) {
            self.connect(Some(self.breaker.pause()), number.unwrap_or(0) + 1);
        }
    }

    /// Replaces a connection by another state, unless another was made since.
    fn replace(&self, number: Option<u64>, by: &State) -> bool {
        self.state.send_if_modified(|state| {
            let same = matches!(state, State::Up(_, its_number) if Some(*its_number) == number);
            if same {
                *state = by.clone();
            }
            same
        })
    }

    /// Makes a connection in the background, after a pause if there is one; there is only ever one that
    /// does. It ends with the limiter.
    fn connect(self: &Arc<Self>, pause: Option<Duration>, number: u64) {
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

/// Asks once, or twice if the server does not know the script yet.
async fn ask(
    connection: &mut MultiplexedConnection,
    call: &Call<'_>,
) -> redis::RedisResult<Vec<i64>> {
    match call.command.query_async(connection).await {
        Err(error) if Failure::new(&error).1 == Consequence::LoadScript => {
            call.script.load_async(connection).await?;
            call.command.query_async(connection).await
        }
        answer => answer,
    }
}

async fn connect(
    shared: Weak<Shared>,
    mut pause: Option<Duration>,
    number: u64,
    mut ending: Ending,
) {
    loop {
        if let Some(pause) = pause {
            tokio::time::sleep(pause).await;
        }
        let Some(shared) = shared.upgrade() else { return };
        match shared.attempt().await {
            Ok(connection) => {
                // Before anybody can find it broken, and begin another of these.
                ending.0 = Weak::new();
                shared.state.send_replace(State::Up(connection, number));
                return;
            }
            Err(failure) => {
                shared.state.send_replace(State::Down(Arc::new(failure)));
                pause = Some(shared.breaker.pause());
            }
        }
    }
}

/// Says so when the task that connects ends without a connection, as it does with its runtime.
struct Ending(Weak<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some(shared) = self.0.upgrade() {
            shared.state.send_replace(State::Down(Arc::new(Failure::RuntimeEnded)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faulty_server::{FaultyServer, HANGS_UP};

    const PATIENT: u32 = 9;

    fn connection(url: &str, patience: u32) -> Connection {
        let client = Client::open(url).unwrap();
        Connection::new(client, Duration::from_secs(20), Breaker::new(patience))
    }

    /// Which connection is up.
    fn number(connection: &Connection) -> Option<u64> {
        match *connection.0.state.borrow() {
            State::Up(_, number) => Some(number),
            _ => None,
        }
    }

    fn names(server: &FaultyServer) -> Vec<String> {
        server.heard().into_iter().map(|mut words| words.swap_remove(0)).collect()
    }

    #[tokio::test]
    async fn what_breaks_is_said_again_unless_it_must_not_be() {
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
        // Who had the first one, and sees only now that it broke, does not break the second.
        connection.0.reconnect(1);
        connection.0.give_up(Some(1), &Failure::Nonsense);
        assert_eq!(number(&connection), Some(2));
    }

    #[tokio::test]
    async fn a_script_is_loaded_if_the_server_does_not_know_it_and_for_no_other_error() {
        // With the hash of the script.
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

    /// What servers say on the wire, with the answer to the script of another.
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
    async fn a_refusal_that_lasts_is_as_good_as_no_answer() {
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
            // It is tried again by itself.
            let mut states = connection.0.state.subscribe();
            let is_up = states.wait_for(|state| matches!(state, State::Up(..)));
            tokio::time::timeout(Duration::from_secs(20), is_up).await.unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn who_has_no_patience_left_fails_at_once_until_there_is_another_connection() {
        let script = Script::new("return {7}");
        let server = FaultyServer::start(&[HANGS_UP, "*1\r\n:7"]).await;
        let connection = connection(&server.url, 1);
        let answer = connection.call(&Call::new(&script)).await;
        assert!(matches!(answer, Err(Failure::Down(..))), "{answer:?}");
        assert_eq!(server.heard().len(), 1);
        let mut states = connection.0.state.subscribe();
        let is_up = states.wait_for(|state| matches!(state, State::Up(..)));
        tokio::time::timeout(Duration::from_secs(20), is_up).await.unwrap().unwrap();
        assert_eq!(number(&connection), Some(2));
        assert_eq!(connection.call(&Call::new(&script)).await.unwrap(), [7]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_a_connection_hears_that_its_runtime_ended() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let connection = {
            let _inside = runtime.enter();
            connection("redis://127.0.0.1", PATIENT)
        };
        let script = Script::new("return {7}");
        let call = Call::new(&script);
        // It is not driven, so nothing becomes of the connection.
        let ends = async { runtime.shutdown_background() };
        let (answer, ()) = tokio::join!(connection.call(&call), ends);
        let Err(Failure::Down(cause, _)) = answer else { panic!("{answer:?}") };
        assert!(matches!(*cause, Failure::RuntimeEnded));
    }
}
