//! Streams to servers that a simulation plays, in place of sockets.

use std::io;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, RedisError, RedisResult};
use tokio::io::DuplexStream;

use tower_api_key::Reply;

/// Opens streams to servers that a simulation plays, in place of sockets.
///
/// ```
/// use std::io;
/// use tower_api_key::Reply;
/// use tower_api_key_redis::{RedisLimiter, StreamSource};
///
/// /// Servers that refuse all connections.
/// struct Refusing;
///
/// impl StreamSource for Refusing {
///     fn open(&self, _host: &str, _port: u16) -> Reply<io::Result<tokio::io::DuplexStream>> {
///         Reply::now(Err(io::ErrorKind::ConnectionRefused.into()))
///     }
/// }
///
/// let limiter = RedisLimiter::builder("redis://simulated").stream_source(Refusing).build()?;
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
pub trait StreamSource: Send + Sync + 'static {
    /// Opens a stream to a server.
    ///
    /// # Errors
    ///
    /// [`io::Error`] if the server cannot be reached.
    fn open(&self, host: &str, port: u16) -> Reply<io::Result<DuplexStream>>;
}

/// Makes a connection over a stream.
pub(super) async fn connect(
    streams: &dyn StreamSource,
    client: &Client,
    config: &AsyncConnectionConfig,
) -> RedisResult<MultiplexedConnection> {
    let info = client.get_connection_info();
    let ConnectionAddr::Tcp(host, port) = info.addr() else {
        return Err(io::Error::from(io::ErrorKind::Unsupported).into());
    };
    let stream = streams.open(host, *port).await.map_err(RedisError::from)?;
    let settings = info.redis_settings();
    let connected = MultiplexedConnection::new_with_config(settings, stream, config.clone()).await;
    let (connection, driver) = connected?;
    tokio::spawn(driver);
    Ok(connection)
}
