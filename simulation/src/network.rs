//! The network between nodes and servers: delays, lost packets and cuts.

use std::ops::Range;

use crate::chance::Chance;

/// A part of the network that carries nothing for a time.
#[derive(Debug, Clone)]
pub struct Cut {
    /// When, in milliseconds.
    pub during: Range<u64>,
    /// The nodes that are cut off.
    pub nodes: Range<u64>,
    /// The server that they do not reach.
    pub server: u64,
}

/// The delays of a network. TCP sends again what was lost, so lost packets and cuts delay messages.
#[derive(Debug, Clone)]
pub struct Network {
    chance: Chance,
    cuts: Vec<Cut>,
}

impl Network {
    /// Creates a network.
    pub const fn new(chance: Chance, cuts: Vec<Cut>) -> Self {
        Self { chance, cuts }
    }

    /// Returns when a message arrives that is sent at an instant. All messages that a node and a server exchange in
    /// one direction in one millisecond take the same time, so their order does not matter.
    pub fn arrival(&self, node: u64, server: u64, way: Way, sent: u64) -> u64 {
        let carried = self.carried(node, server, sent);
        let chance = self.chance.fraction(&[node, server, way as u64, sent]);
        // Retransmission after a cut is not immediate.
        carried + delay(chance) + if carried > sent { 50 } else { 0 }
    }

    /// Returns the first instant from `sent` on at which the network carries messages.
    fn carried(&self, node: u64, server: u64, sent: u64) -> u64 {
        let mut at = sent;
        for cut in &self.cuts {
            if cut.server == server && cut.nodes.contains(&node) && cut.during.contains(&at) {
                at = cut.during.end;
            }
        }
        at
    }

    /// Returns true if the network carries messages at an instant.
    pub fn carries(&self, node: u64, server: u64, at: u64) -> bool {
        self.carried(node, server, at) == at
    }
}

/// The direction of a message.
#[derive(Debug, Clone, Copy)]
pub enum Way {
    /// From a node to a server.
    There = 1,
    /// From a server to a node.
    Back = 2,
}

/// Returns a delay in milliseconds: mostly 1, rarely 10, and 200 for one lost packet in 2,000.
fn delay(chance: f64) -> u64 {
    match chance {
        _ if chance < 0.000_5 => 200,
        _ if chance < 0.005 => 10,
        _ if chance < 0.1 => 3,
        _ => 1,
    }
}
