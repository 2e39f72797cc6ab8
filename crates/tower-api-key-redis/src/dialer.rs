//! Streams to a simulated server, in place of sockets.

use std::io;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError, RedisResult};
use tokio::io::DuplexStream;

use tower_api_key::Reply;

/// Opens streams to a server that a simulation plays, in place of sockets.
///
/// ```
/// use std::io;
/// use tower_api_key::Reply;
/// use tower_api_key_redis::{Dialer, RedisLimiter};
///
/// /// A server that refuses all connections.
/// struct Refusing;
///
/// impl Dialer for Refusing {
///     fn dial(&self) -> Reply<io::Result<tokio::io::DuplexStream>> {
///         Reply::now(Err(io::ErrorKind::ConnectionRefused.into()))
///     }
/// }
///
/// let limiter = RedisLimiter::builder("redis://simulated").dialer(Refusing).build()?;
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
pub trait Dialer: Send + Sync + 'static {
    /// Opens a stream.
    ///
    /// # Errors
    ///
    /// [`io::Error`] if the server cannot be reached.
    fn dial(&self) -> Reply<io::Result<DuplexStream>>;
}

/// Makes a connection over a stream of a dialer.
pub(super) async fn open(
    dialer: &dyn Dialer,
    client: &Client,
    config: &AsyncConnectionConfig,
) -> RedisResult<MultiplexedConnection> {
    let stream = dialer.dial().await.map_err(RedisError::from)?;
    let settings = client.get_connection_info().redis_settings();
    let connected = MultiplexedConnection::new_with_config(settings, stream, config.clone()).await;
    let (connection, driver) = connected?;
    tokio::spawn(driver);
    Ok(connection)
}
