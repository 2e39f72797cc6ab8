//! A way to a server that can lead to another one, as a name can: connections that are there stay.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

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

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Leads new connections to another port.
    pub(crate) fn leads_to(&self, port: u16) {
        self.target.store(port, Ordering::SeqCst);
    }
}
