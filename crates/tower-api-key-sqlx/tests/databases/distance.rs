//! A way to a server far away: each direction takes its time, and round trips are counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

pub(crate) struct Distance {
    port: u16,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    trips: AtomicUsize,
    connections: AtomicUsize,
}

impl Distance {
    /// Relays all connections to a port of this machine. A round trip takes this time.
    pub(crate) async fn to(port: u16, trip: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let relay = Self { port: listener.local_addr().unwrap().port(), counts: Arc::default() };
        let counts = Arc::clone(&relay.counts);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { continue };
                client.set_nodelay(true).unwrap();
                server.set_nodelay(true).unwrap();
                counts.connections.fetch_add(1, Ordering::SeqCst);
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                // Whether the client spoke last.
                let asked = Arc::new(AtomicBool::new(false));
                let (counts, answered) = (Arc::clone(&counts), Arc::clone(&asked));
                let asks = move || {
                    if !asked.swap(true, Ordering::SeqCst) {
                        counts.trips.fetch_add(1, Ordering::SeqCst);
                    }
                };
                tokio::spawn(carry(from_client, to_server, trip / 2, asks));
                let answers = move || answered.store(false, Ordering::SeqCst);
                tokio::spawn(carry(from_server, to_client, trip / 2, answers));
            }
        });
        relay
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Returns how many round trips there were, on all connections.
    pub(crate) fn trips(&self) -> usize {
        self.counts.trips.load(Ordering::SeqCst)
    }

    /// Returns how many connections were opened.
    pub(crate) fn opened(&self) -> usize {
        self.counts.connections.load(Ordering::SeqCst)
    }
}

/// Passes on what comes, each piece after the same time.
async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    time: Duration,
    notice: impl Fn() + Send + 'static,
) {
    let (sender, mut pieces) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let writing = tokio::spawn(async move {
        while let Some((at, piece)) = pieces.recv().await {
            sleep_until(at).await;
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
    });
    let mut buffer = vec![0; 16_384];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        notice();
        if sender.send((Instant::now() + time, buffer[..length].to_vec())).is_err() {
            break;
        }
    }
    drop(sender);
    let _ = writing.await;
}
