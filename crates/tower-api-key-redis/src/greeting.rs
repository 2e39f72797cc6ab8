//! What a server says of itself on a new connection, and how far away it is.

use std::collections::HashMap;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisResult, Value, from_redis_value};
use tokio::time::Instant;

use super::failure::Failure;
use super::wrong_server::WrongServer;

/// The pings of a new connection at most, the fastest of which counts.
const PINGS: usize = 3;

/// What a server says of itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Greeting {
    /// What kind of server it is; `None` if it does not say, as some proxies.
    mode: Option<ServerMode>,
    is_replica: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ServerMode {
    Standalone,
    Cluster,
    Sentinel,
}

/// What the limiter needs a server to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ServerRole {
    /// A server by itself.
    Single,
    /// A primary that Sentinels watch.
    Primary,
    /// A node of a cluster.
    Node,
}

/// Greets a server on a new connection. The server must answer, be what the limiter needs, and be near enough for
/// the timeout of calls. Returns true if the server says that it stands alone: not of a cluster, and not a proxy.
pub(super) async fn greet(
    connection: &mut MultiplexedConnection,
    role: ServerRole,
    timeout: Duration,
) -> Result<bool, Failure> {
    let began = Instant::now();
    let mut pipeline = redis::pipe();
    // A server may accept connections and not answer, if it is stopped or still loads its data. `HELLO` needs no
    // permission.
    pipeline.cmd("HELLO").cmd("PING").ignore_errors();
    let answers: Vec<RedisResult<Value>> = pipeline.query_async(connection).await?;
    let mut ping = began.elapsed();
    let mut answers = answers.into_iter();
    let hello = answers.next().and_then(Result::ok);
    if let Some(Err(error)) = answers.next() {
        return Err(Failure::from(error));
    }
    let greeting = Greeting::read(hello);
    greeting.check(role)?;
    for _ in 1..PINGS {
        // One slow answer is a busy machine, or a busy server. Many are the distance.
        if is_near(ping, timeout) || ping > timeout.saturating_mul(4) {
            break;
        }
        let began = Instant::now();
        redis::cmd("PING").exec_async(connection).await?;
        ping = ping.min(began.elapsed());
    }
    if !is_near(ping, timeout) {
        return Err(Failure::TooFar { ping, timeout });
    }
    Ok(greeting.mode == Some(ServerMode::Standalone))
}

/// Returns true if calls can be answered in time: a sixth of the timeout is left for the server and for delays.
fn is_near(ping: Duration, timeout: Duration) -> bool {
    ping.saturating_mul(6) <= timeout.saturating_mul(5)
}

impl Greeting {
    fn read(hello: Option<Value>) -> Self {
        let fields: Option<HashMap<String, Value>> =
            hello.and_then(|hello| from_redis_value(hello).ok());
        let field = |name: &str| -> Option<String> {
            let value = fields.as_ref()?.get(name)?;
            from_redis_value(value.clone()).ok()
        };
        let mode = match field("mode").as_deref() {
            Some("standalone") => Some(ServerMode::Standalone),
            Some("cluster") => Some(ServerMode::Cluster),
            Some("sentinel") => Some(ServerMode::Sentinel),
            _ => None,
        };
        let is_replica = matches!(field("role").as_deref(), Some("replica" | "slave"));
        Self { mode, is_replica }
    }

    fn check(self, role: ServerRole) -> Result<(), WrongServer> {
        match (role, self.mode) {
            (ServerRole::Single | ServerRole::Primary, Some(ServerMode::Cluster)) => {
                Err(WrongServer::OneNode)
            }
            (_, Some(ServerMode::Sentinel)) => Err(WrongServer::Sentinel),
            (ServerRole::Node, Some(ServerMode::Standalone)) => Err(WrongServer::NotClustered),
            (ServerRole::Primary, _) if self.is_replica => Err(WrongServer::Demoted),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_must_be_what_the_limiter_needs() {
        use ServerRole::{Node, Primary, Single};
        let hello = |mode: &str, role: &str| {
            let words = ["server", "redis", "mode", mode, "role", role];
            Value::Array(words.map(|word| Value::BulkString(word.into())).to_vec())
        };
        for (role, hello, expected) in [
            (Single, Some(hello("standalone", "master")), Ok(())),
            (Single, Some(hello("standalone", "replica")), Ok(())),
            (Single, Some(hello("cluster", "master")), Err(WrongServer::OneNode)),
            (Single, Some(hello("sentinel", "sentinel")), Err(WrongServer::Sentinel)),
            (Primary, Some(hello("standalone", "master")), Ok(())),
            (Primary, Some(hello("standalone", "replica")), Err(WrongServer::Demoted)),
            (Node, Some(hello("cluster", "master")), Ok(())),
            (Node, Some(hello("cluster", "replica")), Ok(())),
            (Node, Some(hello("standalone", "master")), Err(WrongServer::NotClustered)),
            // Proxies that do not know the command.
            (Single, None, Ok(())),
            (Node, None, Ok(())),
            (Single, Some(Value::Okay), Ok(())),
        ] {
            assert_eq!(Greeting::read(hello).check(role), expected, "{role:?}");
        }
    }

    #[test]
    fn the_timeout_leaves_a_sixth_for_the_server() {
        let milliseconds = Duration::from_millis;
        for (ping, near) in [(0, true), (41, true), (42, false), (60, false)] {
            assert_eq!(is_near(milliseconds(ping), milliseconds(50)), near, "{ping} ms");
        }
    }
}
