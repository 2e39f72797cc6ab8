//! Serves both listeners, marks each connection as TLS or plain, and shuts down gracefully.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tower::{Layer, ServiceExt};
use tower_api_key::MarkConnection;
use tower_api_key::request::Connection;

use crate::Failure;
use crate::drain::Drained;

const LONGEST_HANDSHAKE: Duration = Duration::from_secs(10);
const LONGEST_HEAD: Duration = Duration::from_secs(30);
/// Longer than the longest `Demo-Delay`, so that every running request can finish.
const LONGEST_END: Duration = Duration::from_secs(20);

/// Serves both listeners until a signal ends the process. Running requests finish first.
pub(crate) async fn serve(
    https: TcpListener,
    http: TcpListener,
    tls: ServerConfig,
    app: Router,
) -> Result<(), Failure> {
    let server = Server { app, running: GracefulShutdown::new() };
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let mut handshakes = JoinSet::new();
    let mut end = Box::pin(end()?);
    loop {
        tokio::select! {
            () = &mut end => break,
            accepted = https.accept() => if let Some((stream, peer)) = settle(accepted).await {
                handshakes.spawn(shake_hands(acceptor.clone(), stream, peer));
            },
            // Handshakes run in tasks, so a slow client does not block others.
            Some(shaken) = handshakes.join_next() => if let Ok(Some((stream, peer))) = shaken {
                server.start(stream, Connection::tls(peer));
            },
            accepted = http.accept() => if let Some((stream, peer)) = settle(accepted).await {
                server.start(stream, Connection::plain(peer));
            },
        }
    }
    drop((https, http, handshakes));
    if timeout(LONGEST_END, server.running.shutdown()).await.is_err() {
        let limit = LONGEST_END.as_secs();
        eprintln!("vendors: closed connections that did not finish within {limit} seconds");
    }
    Ok(())
}

struct Server {
    app: Router,
    running: GracefulShutdown,
}

impl Server {
    /// Serves a connection in a task, and marks its requests as TLS or plain.
    fn start<S>(&self, stream: S, connection: Connection)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let app = self.app.clone().map_request(Drained::wrap);
        let app = MarkConnection::new(connection).layer(app);
        let mut builder = Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(LONGEST_HEAD);
        // A WebSocket over HTTP/2 (RFC 8441).
        builder.http2().timer(TokioTimer::new()).enable_connect_protocol();
        let served = builder
            .serve_connection_with_upgrades(TokioIo::new(stream), TowerToHyperService::new(app))
            .into_owned();
        let served = self.running.watch(served);
        tokio::spawn(async move {
            // The client notices a broken connection; the demo does not log it.
            let _ = served.await;
        });
    }
}

async fn settle(accepted: io::Result<(TcpStream, SocketAddr)>) -> Option<(TcpStream, SocketAddr)> {
    match accepted {
        Ok((stream, peer)) => {
            // Sends small answers without a delay. A failure only slows them.
            let _ = stream.set_nodelay(true);
            Some((stream, peer))
        }
        Err(error) => {
            // Probably out of file descriptors: wait until connections are closed.
            eprintln!("vendors: cannot accept a connection, trying again: {error}");
            sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

async fn shake_hands(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    peer: SocketAddr,
) -> Option<(TlsStream<TcpStream>, SocketAddr)> {
    let shaken = timeout(LONGEST_HANDSHAKE, acceptor.accept(stream)).await;
    Some((shaken.ok()?.ok()?, peer))
}

/// Resolves when a signal asks the process to end.
#[cfg(unix)]
fn end() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Resolves when a signal asks the process to end.
#[cfg(not(unix))]
fn end() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
