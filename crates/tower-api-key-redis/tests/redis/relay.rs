//! A way to a server that can lead to another one, as a name can: connections that are there stay.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::Instant;

pub(crate) struct Relay {
    port: u16,
    target: Arc<AtomicU16>,
}

impl Relay {
    /// Relays connections to a port of this machine.
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = Arc::new(AtomicU16::new(port));
        let relay = Self { port: listener.local_addr().unwrap().port(), target };
        let target = Arc::clone(&relay.target);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let port = target.load(Ordering::SeqCst);
                tokio::spawn(async move {
                    if let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await {
                        let _ = copy_bidirectional(&mut client, &mut server).await;
                    }
                });
            }
        });
        relay
    }

    /// Relays connections to a port of this machine, and keeps what is sent for a while, each way.
    pub(crate) async fn to_distant(port: u16, distance: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let relay =
            Self { port: listener.local_addr().unwrap().port(), target: Arc::new(port.into()) };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                let ((from_client, to_client), (from_server, to_server)) =
                    (client.into_split(), server.into_split());
                tokio::spawn(late(from_client, to_server, distance));
                tokio::spawn(late(from_server, to_client, distance));
            }
        });
        relay
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Leads new connections to another port.
    pub(crate) fn leads_to(&self, port: u16) {
        self.target.store(port, Ordering::SeqCst);
    }
}

/// Passes on what is read, each part after a while.
async fn late(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, distance: Duration) {
    let (sender, mut parts) = unbounded_channel();
    tokio::spawn(async move {
        let mut buffer = vec![0; 65_536];
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            let _ = sender.send((Instant::now() + distance, buffer[..length].to_vec()));
        }
    });
    while let Some((due, part)) = parts.recv().await {
        tokio::time::sleep_until(due).await;
        if to.write_all(&part).await.is_err() {
            return;
        }
    }
}
