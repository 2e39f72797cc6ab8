//! Accepts the connections of one address.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::certificate::Certificate;
use super::connection::Server;
use crate::Problem;
use crate::settings::ListenerSettings;

/// The pause after a connection that could not be accepted, probably for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);
/// When the system asks whether the client of a silent connection is still there.
const KEEP_ALIVE: TcpKeepalive =
    TcpKeepalive::new().with_time(Duration::from_secs(60)).with_interval(Duration::from_secs(10));

/// One address, and the certificate with which it is served.
pub(crate) struct Listener {
    settings: ListenerSettings,
    socket: TcpListener,
    certificate: Option<Arc<Certificate>>,
}

impl Listener {
    /// Opens an address.
    ///
    /// # Errors
    ///
    /// [`Problem`] if the address cannot be had, or the certificate cannot be used.
    pub(crate) async fn open(settings: &ListenerSettings) -> Result<Self, Problem> {
        let certificate = settings.tls.as_ref().map(Certificate::read).transpose()?;
        let socket = TcpListener::bind(settings.address).await.map_err(|error| {
            Problem::new("address", format!("cannot listen on {}: {error}", settings.address))
        })?;
        Ok(Self {
            settings: settings.clone(),
            socket,
            certificate: certificate.map(Certificate::new).map(Arc::new),
        })
    }

    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    pub(crate) fn certificate(&self) -> Option<Arc<Certificate>> {
        self.certificate.clone()
    }

    /// Accepts connections until the end. Each is served in a task of its own.
    pub(crate) async fn accept(self, server: Server, closing: CancellationToken) {
        let most = self.settings.max_connections.get().min(Semaphore::MAX_PERMITS);
        let room = Arc::new(Semaphore::new(most));
        let limit = self.settings.header_timeout.get();
        let _ = closing
            .run_until_cancelled(async {
                loop {
                    let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
                    let Some(stream) = self.next().await else { continue };
                    let (server, certificate) = (server.clone(), self.certificate.clone());
                    let drain = server.drain.clone();
                    drain.spawn(serve(stream, certificate, server, limit, place));
                }
            })
            .await;
    }

    async fn next(&self) -> Option<TcpStream> {
        match self.socket.accept().await {
            Ok((stream, _)) => {
                // Sends small answers without a delay. A failure only slows them.
                let _ = stream.set_nodelay(true);
                // A socket whose client is gone must not hold a permit for good.
                let _ = SockRef::from(&stream).set_tcp_keepalive(&KEEP_ALIVE);
                Some(stream)
            }
            Err(error) => {
                warn!(%error, "cannot accept a connection, trying again");
                sleep(PAUSE).await;
                None
            }
        }
    }
}

/// Serves one connection, over TLS if the listener has a certificate.
async fn serve(
    stream: TcpStream,
    certificate: Option<Arc<Certificate>>,
    server: Server,
    limit: Duration,
    room: OwnedSemaphorePermit,
) {
    let Some(certificate) = certificate else {
        return server.serve(stream, limit, room).await;
    };
    match timeout(limit, certificate.acceptor().accept(stream)).await {
        Ok(Ok(stream)) => server.serve(stream, limit, room).await,
        Ok(Err(error)) => debug!(%error, "a handshake failed"),
        Err(_) => debug!("a handshake took too long"),
    }
}
