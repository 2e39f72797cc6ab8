//! Failures that no time mends: the address or the timeout has to change.

use tower_api_key::ConfigError;

use super::failure::Failure;
use super::limiter::RedisLimiter;
use super::wrong_server::WrongServer;

impl RedisLimiter {
    /// Connects now, and returns an error only if the configuration has to change. Call it when the program starts, to
    /// stop there.
    ///
    /// A server that is down, hangs or refuses the login is no error here, because it may be well later. Limit the time
    /// of the call. [`check`](Self::check) returns an error for each of them.
    ///
    /// ```no_run
    /// # use tower_api_key_redis::RedisLimiter;
    /// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
    /// let limiter = RedisLimiter::open("redis://10.0.0.7")?;
    /// limiter.check_configuration().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError::Redis`] if
    ///
    /// * the URL leads to one node of a cluster, or to a Sentinel, and the limiter is not built for it;
    /// * the limiter is built for a cluster, and the server is not a node of one;
    /// * several pings in a row take too long for the [timeout](super::RedisLimiterBuilder::timeout).
    pub async fn check_configuration(&self) -> Result<(), ConfigError> {
        let Err(failure) = self.connection().check().await else { return Ok(()) };
        problem(&failure.cause()).map_or(Ok(()), |problem| Err(ConfigError::Redis(problem)))
    }
}

/// Returns what has to change, unless the failure may pass.
fn problem(failure: &Failure) -> Option<&'static str> {
    match failure {
        Failure::WrongServer(WrongServer::OneNode) => Some(
            "the URL leads to one node of a Redis Cluster, which counts a part of the accounts only: set `cluster = \
             true` in the file, or use `RedisLimiter::cluster`",
        ),
        Failure::WrongServer(WrongServer::Sentinel) => Some(
            "the URL leads to a Sentinel: set `sentinel` to the name of the service in the file, or use \
             `RedisLimiter::sentinel`",
        ),
        Failure::WrongServer(WrongServer::NotClustered) => {
            Some("the server is not a node of a Redis Cluster: do not set `cluster`")
        }
        // One answer that takes this long may be a stall. A shorter one was measured several times.
        Failure::TooFar { ping, timeout } if *ping <= timeout.saturating_mul(4) => Some(
            "the server is too far away for the timeout of calls: set `timeout` to three times a ping, or use a server \
             that is nearer",
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::super::unreachable::Unreachable;
    use super::*;

    #[test]
    fn what_may_pass_is_no_misconfiguration() {
        let millis = Duration::from_millis;
        let far = |ping| Failure::TooFar { ping: millis(ping), timeout: millis(50) };
        for (failure, expected) in [
            (Failure::WrongServer(WrongServer::OneNode), Some("`cluster = true`")),
            (Failure::WrongServer(WrongServer::Sentinel), Some("`sentinel`")),
            (Failure::WrongServer(WrongServer::NotClustered), Some("do not set `cluster`")),
            (Failure::WrongServer(WrongServer::Demoted), None),
            (far(60), Some("`timeout`")),
            (far(500), None),
            (Failure::Connection(Unreachable::Refused, None), None),
            (Failure::Connection(Unreachable::Authentication, None), None),
            (Failure::Timeout(millis(50)), None),
            (Failure::NoPrimary, None),
        ] {
            let down = Failure::down(&Arc::new(failure));
            let found = problem(&down.cause());
            match (found, expected) {
                (Some(found), Some(expected)) => assert!(found.contains(expected), "{found}"),
                (found, expected) => assert_eq!(found, expected),
            }
        }
    }
}
