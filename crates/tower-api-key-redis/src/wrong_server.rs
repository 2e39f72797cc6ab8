//! Servers that are not what the limiter was built for, each with the remedy.

/// A server that is not what the limiter was built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum WrongServer {
    #[error(
        "the URL leads to one node of a Redis Cluster, which counts a part of the accounts only: build the limiter \
         with `RedisLimiter::cluster`"
    )]
    OneNode,
    #[error(
        "the URL leads to a Sentinel: build the limiter with `RedisLimiter::sentinel`, or write the port of the server"
    )]
    Sentinel,
    #[error(
        "the server is not a node of a Redis Cluster: build the limiter with `RedisLimiter::builder`, or write the \
         address of a node"
    )]
    NotClustered,
    #[error(
        "the Sentinels name a server that is a replica: wait for the failover to end, or check `SENTINEL MASTER`"
    )]
    Demoted,
}
