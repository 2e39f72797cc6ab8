//! Calls to the servers, over the connections that all requests share.

use std::sync::Arc;
use std::time::Duration;

use super::call::Call;
use super::cluster::Cluster;
use super::failure::Failure;
use super::link::Link;

/// The way to the servers. Calls have a timeout, and fail at once while their server is down.
#[derive(Clone)]
pub(super) enum Connection {
    /// One server at a time: the one of a URL, or the primary that Sentinels name.
    Single(Arc<Link>),
    Cluster(Cluster),
}

impl Connection {
    /// Runs a task on the connection's runtime.
    pub(super) fn spawn(
        &self,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Failure> {
        match self {
            Self::Single(link) => link.home().spawn(task),
            Self::Cluster(cluster) => cluster.home().spawn(task),
        }
    }

    /// Returns true if the last call to the server of a Redis key failed, so that the next one may fail as well.
    pub(super) fn is_in_doubt(&self, key: impl FnOnce() -> String) -> bool {
        self.link(key).is_none_or(|link| link.breaker.counts_failures())
    }

    /// Returns true if calls for a Redis key fail at once, because there is no connection to its server.
    pub(super) fn is_down(&self, key: impl FnOnce() -> String) -> bool {
        self.link(key).is_none_or(|link| link.is_down())
    }

    /// Returns the link to the server of a Redis key; `None` if no server of a cluster is known to have it.
    fn link(&self, key: impl FnOnce() -> String) -> Option<Arc<Link>> {
        match self {
            Self::Single(link) => Some(Arc::clone(link)),
            Self::Cluster(cluster) => cluster.link(key().as_bytes()),
        }
    }

    /// Returns the longest time that a call may take.
    pub(super) fn timeout(&self) -> Duration {
        match self {
            Self::Single(link) => link.timeout,
            Self::Cluster(cluster) => cluster.timeout(),
        }
    }

    /// Calls a script.
    pub(super) async fn call(&self, call: &Call<'_>) -> Result<Vec<i64>, Failure> {
        self.call_within(call, self.timeout()).await
    }

    /// Calls a script in at most this time, in a cluster in that of each call.
    pub(super) async fn call_within(
        &self,
        call: &Call<'_>,
        within: Duration,
    ) -> Result<Vec<i64>, Failure> {
        match self {
            Self::Single(link) => link.call(call, false, within).await,
            Self::Cluster(cluster) => cluster.call(call).await,
        }
    }

    /// Returns the link to a server that stands alone, which has the Redis keys of all accounts.
    pub(super) fn alone(&self) -> Option<&Arc<Link>> {
        match self {
            Self::Single(link) if link.stands_alone() => Some(link),
            _ => None,
        }
    }

    /// Connects, and waits until it is known whether calls can be made.
    pub(super) async fn check(&self) -> Result<(), Failure> {
        let checked = match self {
            Self::Single(link) => link.check().await,
            Self::Cluster(cluster) => cluster.check().await,
        };
        checked.map_err(Failure::cause)
    }
}

#[cfg(test)]
impl Connection {
    /// Creates a connection to the server of a URL.
    pub(super) fn of_url(url: &str, timeout: Duration, patience: u32) -> Self {
        use super::breaker::Breaker;
        use super::dialer::Dialer;
        use super::endpoint::Endpoint;
        use super::greeting::ServerRole;
        use super::home::Home;

        let endpoint = Arc::new(Endpoint::new(url).unwrap());
        let dialer = Dialer::Server(endpoint, ServerRole::Single);
        let link = Link::new(dialer, timeout, Breaker::new(patience), Home::here());
        Self::Single(Arc::new(link))
    }
}

#[cfg(test)]
mod tests {
    use redis::Script;

    use super::*;
    use crate::faulty_server::{FaultyServer, HANGS_UP};
    use crate::link::LinkState;

    const PATIENT: u32 = 9;

    fn connection(url: &str, patience: u32) -> Connection {
        Connection::of_url(url, Duration::from_secs(20), patience)
    }

    fn link(connection: &Connection) -> &Arc<Link> {
        let Connection::Single(link) = connection else { panic!("a cluster") };
        link
    }

    /// Returns the number of the connection that is up.
    fn number(connection: &Connection) -> Option<u64> {
        match *link(connection).state.borrow() {
            LinkState::Up(_, number) => Some(number),
            _ => None,
        }
    }

    fn names(server: &FaultyServer) -> Vec<String> {
        let name = |words: Vec<Vec<u8>>| String::from_utf8(words[0].clone()).unwrap();
        server.heard().into_iter().map(name).collect()
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
        link(&connection).reconnect(1);
        link(&connection).give_up(Some(1), &Failure::Nonsense);
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
            let mut states = link(&connection).state.subscribe();
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
        let mut states = link(&connection).state.subscribe();
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
