//! Connects to an address that was checked.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::address::is_public;
use super::endpoint::Endpoint;
use super::failure::{closed, unconnected, unresolved, untrusted};
use super::network::Network;
use tower_api_key::events::DeliveryError;

/// The most addresses of a name that are tried.
const MOST_ADDRESSES: usize = 4;

/// A connection with or without TLS.
pub(crate) enum ReceiverStream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Resolves the name once, checks each address, and connects to one of those that passed. The system would resolve the
/// name again if it was asked to connect to the name.
pub(crate) async fn dial(
    network: &dyn Network,
    endpoint: &Endpoint,
    tls: Option<&Arc<ClientConfig>>,
    allow_private: bool,
) -> Result<ReceiverStream, DeliveryError> {
    let found = network.resolve(&endpoint.host, endpoint.port).await;
    let found = found.map_err(|_| unresolved())?;
    if found.is_empty() {
        return Err(unresolved());
    }
    let open = found.into_iter().filter(|address| allow_private || is_public(address.ip()));
    let mut failed = None;
    for address in open.take(MOST_ADDRESSES) {
        match network.connect(address).await {
            Ok(stream) => return encrypt(stream, endpoint, tls).await,
            Err(error) => failed = Some(error),
        }
    }
    Err(failed.map_or_else(closed, |error| unconnected(&error)))
}

async fn encrypt(
    stream: TcpStream,
    endpoint: &Endpoint,
    tls: Option<&Arc<ClientConfig>>,
) -> Result<ReceiverStream, DeliveryError> {
    let Some(config) = tls.filter(|_| endpoint.has_tls) else {
        return if endpoint.has_tls { Err(untrusted()) } else { Ok(ReceiverStream::Plain(stream)) };
    };
    let name = ServerName::try_from(endpoint.host.clone()).map_err(|_| untrusted())?;
    let connected = TlsConnector::from(Arc::clone(config)).connect(name, stream).await;
    connected.map(|stream| ReceiverStream::Tls(Box::new(stream))).map_err(|_| untrusted())
}

impl AsyncRead for ReceiverStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for ReceiverStream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_shutdown(context),
        }
    }
}
