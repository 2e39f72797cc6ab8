//! Carries bytes both ways after a switch of protocols.

use std::io;
use std::pin::pin;
use std::time::Duration;

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy, copy_bidirectional, split,
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower_api_key::concurrency::Permit;
use tracing::debug;

use super::websocket::{FrameReader, GOING_AWAY};
use crate::drain::Drain;
use crate::listen::Place;
use crate::upstream::InFlight;

const BUFFER: usize = 16 << 10;
/// How long one side of a WebSocket may stay after the other one has closed.
const LINGER: Duration = Duration::from_secs(5);

/// A client and a server that have switched protocols.
pub(super) struct Tunnel {
    pub(super) client: OnUpgrade,
    pub(super) server: OnUpgrade,
    pub(super) is_websocket: bool,
    /// The account's permit, for as long as the tunnel is open.
    pub(super) permit: Option<Permit>,
    pub(super) in_flight: InFlight,
    /// The place among the connections of the listener.
    pub(super) place: Option<Place>,
}

impl Tunnel {
    /// Carries bytes until both sides have closed. When the gateway ends, the client of a WebSocket gets a Close
    /// frame. Its answer closes the socket of the server.
    pub(super) fn open(self, drain: &Drain) {
        let ending = drain.ending();
        drain.spawn(async move {
            if let Err(error) = self.run(&ending).await {
                debug!(%error, "a tunnel broke off");
            }
        });
    }

    async fn run(self, ending: &CancellationToken) -> io::Result<()> {
        let (client, server) =
            tokio::try_join!(self.client, self.server).map_err(io::Error::other)?;
        let (mut client, mut server) = (TokioIo::new(client), TokioIo::new(server));
        if self.is_websocket {
            let (from_client, to_client) = split(client);
            let (from_server, to_server) = split(server);
            let mut up = pin!(carry(from_client, to_server));
            let mut down = pin!(carry_frames(from_server, to_client, ending));
            // Neither side can keep the socket open by itself for long.
            tokio::select! {
                done = &mut up => done.map(|()| timeout(LINGER, down))?.await??,
                done = &mut down => done.map(|()| timeout(LINGER, up))?.await??,
            }
        } else {
            copy_bidirectional(&mut client, &mut server).await?;
        }
        drop((self.permit, self.in_flight, self.place));
        Ok(())
    }
}

async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
) -> io::Result<()> {
    copy(&mut from, &mut to).await?;
    to.shutdown().await
}

/// Carries a server's frames to its client. At the end of the gateway it ends the frame that has begun, writes a Close
/// frame, and drops what the server still sends.
async fn carry_frames(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    ending: &CancellationToken,
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    let (mut frames, mut has_said_goodbye) = (FrameReader::default(), false);
    loop {
        let read = tokio::select! {
            read = from.read(&mut buffer) => read?,
            () = ending.cancelled(), if !has_said_goodbye && frames.is_between_frames() => {
                to.write_all(&GOING_AWAY).await?;
                to.flush().await?;
                has_said_goodbye = true;
                continue;
            }
        };
        if read == 0 {
            return to.shutdown().await;
        }
        let mut bytes = buffer.get(..read).unwrap_or_default();
        if has_said_goodbye {
            continue;
        }
        if ending.is_cancelled() {
            let end = frames.read_to_end_of_frame(bytes);
            bytes = bytes.get(..end).unwrap_or_default();
        } else {
            frames.read(bytes);
        }
        to.write_all(bytes).await?;
        to.flush().await?;
    }
}
