//! The stream between a node and a server, whose two ends wait for the network.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tower_api_key::Reply;
use tower_api_key_redis::StreamSource;

use super::server::RedisServer;
use super::wire::{Command, take_command};
use crate::network::{Network, Way};

/// The bytes that a stream holds before its writer waits.
const BUFFER: usize = 1 << 18;

/// Connects a node to a server.
pub struct RedisStreams {
    /// The number of the node.
    pub node: u64,
    /// The server.
    pub server: Arc<RedisServer>,
    /// The network between them.
    pub network: Arc<Network>,
}

impl StreamSource for RedisStreams {
    fn open(&self, _host: &str, _port: u16) -> Reply<io::Result<DuplexStream>> {
        let (node, server) = (self.node, Arc::clone(&self.server));
        let network = Arc::clone(&self.network);
        Reply::later(async move {
            let time = server.time;
            let there = network.arrival(node, server.number, Way::There, time.now());
            time.reach(there).await;
            let refused = server.is_dead(time.now());
            time.reach(network.arrival(node, server.number, Way::Back, there)).await;
            if refused || server.is_dead(time.now()) {
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            let (ours, theirs) = tokio::io::duplex(BUFFER);
            tokio::spawn(Served { node, server, network }.serve(theirs));
            Ok(ours)
        })
    }
}

/// A connection of a node.
struct Served {
    node: u64,
    server: Arc<RedisServer>,
    network: Arc<Network>,
}

impl Served {
    async fn serve(self, stream: DuplexStream) {
        self.server.connected();
        let (reading, writing) = tokio::io::split(stream);
        let (arrived, arriving) = unbounded_channel();
        let (answered, answers) = unbounded_channel();
        tokio::select! {
            biased;
            () = self.server.death(self.server.time.now()) => {}
            // What was sent before the client hung up is run.
            _ = async { tokio::join!(
                self.read(reading, arrived),
                self.run(arriving, answered),
                self.write(writing, answers),
            ) } => {}
        }
        self.server.disconnected();
    }

    async fn read(
        &self,
        mut reading: ReadHalf<DuplexStream>,
        arrived: UnboundedSender<(u64, Vec<Command>)>,
    ) {
        let mut buffer = Vec::new();
        let mut last = 0;
        while reading.read_buf(&mut buffer).await.is_ok_and(|bytes| bytes > 0) {
            let commands: Vec<Command> = std::iter::from_fn(|| take_command(&mut buffer)).collect();
            last = self.arrival(Way::There, last);
            let _ = arrived.send((last, commands));
        }
    }

    async fn run(
        &self,
        mut arriving: UnboundedReceiver<(u64, Vec<Command>)>,
        answered: UnboundedSender<(u64, Vec<u8>)>,
    ) {
        let mut last = 0;
        while let Some((at, commands)) = arriving.recv().await {
            self.server.time.reach(at).await;
            let mut answer = Vec::new();
            for command in &commands {
                self.server.run(command).write(&mut answer);
            }
            last = self.arrival(Way::Back, last);
            let _ = answered.send((last, answer));
        }
    }

    async fn write(
        &self,
        mut writing: WriteHalf<DuplexStream>,
        mut answers: UnboundedReceiver<(u64, Vec<u8>)>,
    ) {
        while let Some((at, answer)) = answers.recv().await {
            self.server.time.reach(at).await;
            if writing.write_all(&answer).await.is_err() {
                answers.close();
            }
        }
    }

    /// Returns when a message arrives that is sent now. Messages keep their order.
    fn arrival(&self, way: Way, last: u64) -> u64 {
        let now = self.server.time.now();
        self.network.arrival(self.node, self.server.number, way, now).max(last)
    }
}
