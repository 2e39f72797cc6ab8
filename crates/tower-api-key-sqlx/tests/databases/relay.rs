//! A way to a server that falls silent, as a network can: nothing is closed, and nothing comes through.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) struct Relay {
    port: u16,
    silent: Arc<AtomicBool>,
    deaf: Arc<AtomicBool>,
    connections: Arc<AtomicUsize>,
    /// How often all connections were lost.
    losses: Arc<AtomicUsize>,
}

/// What a client of PostgreSQL sends to see whether the server is there.
const SIGN_OF_LIFE: &[u8] = b"S\0\0\0\x04";

impl Relay {
    /// Relays all connections to a port of this machine.
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listening = listener.local_addr().unwrap().port();
        let relay = Self {
            port: listening,
            silent: Arc::default(),
            deaf: Arc::default(),
            connections: Arc::default(),
            losses: Arc::default(),
        };
        let losses = Arc::clone(&relay.losses);
        let (silent, connections) = (Arc::clone(&relay.silent), Arc::clone(&relay.connections));
        let deaf = Arc::clone(&relay.deaf);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { continue };
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                let (silent, connections) = (Arc::clone(&silent), Arc::clone(&connections));
                let (deaf, losses) = (Arc::clone(&deaf), Arc::clone(&losses));
                let before = losses.load(Ordering::SeqCst);
                let is_lost = move || losses.load(Ordering::SeqCst) != before;
                let back = pass_on(
                    from_server,
                    to_client,
                    Arc::clone(&silent),
                    Arc::default(),
                    is_lost.clone(),
                );
                tokio::spawn(async move {
                    connections.fetch_add(1, Ordering::SeqCst);
                    let back = tokio::spawn(back);
                    pass_on(from_client, to_server, silent, deaf, is_lost).await;
                    // The client is gone.
                    back.abort();
                    connections.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        relay
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Returns how many connections clients have open.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Lets nothing through from now on, or everything again on new connections.
    pub(crate) fn falls_silent(&self, silent: bool) {
        self.silent.store(silent, Ordering::SeqCst);
    }

    /// Lets nothing through on the connections that there are, and everything on new ones, as a firewall
    /// does that has lost its table.
    pub(crate) fn loses_connections(&self) {
        self.losses.fetch_add(1, Ordering::SeqCst);
    }

    /// Lets a connection fall silent as soon as its client asks for a sign of life.
    pub(crate) fn loses_signs_of_life(&self, deaf: bool) {
        self.deaf.store(deaf, Ordering::SeqCst);
    }
}

async fn pass_on(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    silent: Arc<AtomicBool>,
    deaf: Arc<AtomicBool>,
    is_lost: impl Fn() -> bool,
) {
    let mut buffer = vec![0; 16_384];
    let mut lost = false;
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        // What is lost stays lost, and the connection stays open.
        let asked = deaf.load(Ordering::SeqCst) && buffer[..length] == *SIGN_OF_LIFE;
        lost |= asked || silent.load(Ordering::SeqCst) || is_lost();
        if !lost && to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
