//! The network that a webhook uses: names are resolved, and connections are made, in one place.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;

use tokio::net::{TcpStream, lookup_host};

/// The future of a question to the network.
pub(crate) type Asked<'a, T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send + 'a>>;

/// Resolves names, and connects to addresses. It never connects to a name: the answer to a second question could be another.
pub(crate) trait Network: Send + Sync {
    /// Returns the addresses of a name, or of an address in text.
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Asked<'a, Vec<SocketAddr>>;

    /// Connects to this address.
    fn connect(&self, address: SocketAddr) -> Asked<'_, TcpStream>;
}

/// The network of the system.
pub(crate) struct SystemNetwork;

impl Network for SystemNetwork {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Asked<'a, Vec<SocketAddr>> {
        Box::pin(async move { Ok(lookup_host((host, port)).await?.collect()) })
    }

    fn connect(&self, address: SocketAddr) -> Asked<'_, TcpStream> {
        Box::pin(TcpStream::connect(address))
    }
}
