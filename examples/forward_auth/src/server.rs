//! The server: plain HTTP/1.1 over TCP or a Unix socket, for proxies beside it.

use std::fs;
use std::future::Future;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::time::{sleep, timeout};
use tower::{Layer, service_fn};
use tower_api_key::MarkConnection;
use tower_api_key::request::Connection;

use crate::checker::Checker;
use crate::settings::Listen;

/// The longest that questions under way may take after the end was asked for.
const DRAIN: Duration = Duration::from_secs(10);

/// The longest that a proxy may take for the head of its question.
const HEAD: Duration = Duration::from_secs(10);

/// A socket that proxies connect to.
#[derive(Debug)]
pub enum Socket {
    /// Over TCP. The proxy's address must be among the trusted ones.
    Tcp(TcpListener),
    /// Over a file. Every process that may open it is trusted, if the gate trusts Unix sockets.
    Unix(UnixListener),
}

impl Socket {
    /// Listens on an address. A Unix socket that no process serves is replaced. Only owner and group may open it.
    ///
    /// # Errors
    ///
    /// The error of the system.
    pub async fn bind(listen: &Listen) -> io::Result<Self> {
        match listen {
            Listen::Tcp(address) => TcpListener::bind(address).await.map(Self::Tcp),
            Listen::Unix(path) => {
                // Left by a process that has ended. Another file is none of this program's.
                let is_socket =
                    fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket());
                if is_socket && StdUnixStream::connect(path).is_err() {
                    fs::remove_file(path)?;
                }
                let listener = UnixListener::bind(path)?;
                fs::set_permissions(path, fs::Permissions::from_mode(0o660))?;
                Ok(Self::Unix(listener))
            }
        }
    }
}

/// Answers questions until `end` resolves, then finishes those under way.
pub async fn serve(socket: Socket, checker: Checker, end: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let mut end = std::pin::pin!(end);
    loop {
        let accepted = async {
            match &socket {
                Socket::Tcp(listener) => {
                    let (stream, peer) = listener.accept().await?;
                    stream.set_nodelay(true)?;
                    answer(stream, Connection::plain(peer), &checker, &graceful);
                }
                Socket::Unix(listener) => {
                    let (stream, _) = listener.accept().await?;
                    answer(stream, Connection::unix_socket(), &checker, &graceful);
                }
            }
            Ok::<_, io::Error>(())
        };
        tokio::select! {
            accepted = accepted => if let Err(error) = accepted {
                eprintln!("accept: {error}");
                sleep(Duration::from_millis(50)).await; // too many open files, most often
            },
            () = &mut end => break,
        }
    }
    let _ = timeout(DRAIN, graceful.shutdown()).await;
}

/// Answers the questions of one connection.
fn answer(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    peer: Connection,
    checker: &Checker,
    graceful: &GracefulShutdown,
) {
    let checker = checker.clone();
    let service = service_fn(move |question| checker.clone().answer(question));
    let service = TowerToHyperService::new(MarkConnection::new(peer).layer(service));
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD);
    let connection = graceful.watch(server.serve_connection(TokioIo::new(stream), service));
    tokio::spawn(async move {
        let _ = connection.await; // the proxy reports a connection that broke
    });
}
