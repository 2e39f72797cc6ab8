//! `axum::serve` with a listener of tokio-rustls.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tower_api_key::axum::MarkListener;
use tower_api_key::request::Connection;

use crate::{Failure, Setup};

const LONGEST_HANDSHAKE: Duration = Duration::from_secs(10);

/// A listener that hands out streams after their handshake. Handshakes run in tasks, so that a slow client holds up
/// nobody else.
struct TlsListener {
    local: SocketAddr,
    shaken: Receiver<(TlsStream<TcpStream>, SocketAddr)>,
}

impl TlsListener {
    fn new(listener: TcpListener, acceptor: TlsAcceptor) -> io::Result<Self> {
        let (sender, shaken) = mpsc::channel(64);
        let local = listener.local_addr()?;
        tokio::spawn(accept(listener, acceptor, sender));
        Ok(Self { local, shaken })
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.shaken.recv().await {
            Some(accepted) => accepted,
            // The task that accepts never ends.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }
}

async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    sender: Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            // Probably out of file descriptors: wait until connections are closed.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (acceptor, sender) = (acceptor.clone(), sender.clone());
        tokio::spawn(async move {
            if let Ok(Ok(stream)) = timeout(LONGEST_HANDSHAKE, acceptor.accept(stream)).await {
                let _ = sender.send((stream, peer)).await;
            }
        });
    }
}

/// Serves until the process ends.
///
/// # Errors
///
/// [`Failure`] if the listener cannot be used.
pub async fn serve(listener: TcpListener, setup: Setup) -> Result<(), Failure> {
    let listener = TlsListener::new(listener, TlsAcceptor::from(setup.tls.clone()))?;
    let app = setup.app().into_make_service_with_connect_info::<Connection>();
    Ok(axum::serve(MarkListener::new(listener), app).await?) // the proof of TLS
}
