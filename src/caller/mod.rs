//! Who calls: the networks of clients.
//!
//! A client that has not authenticated is known by its address only. A site has many addresses, so what counts
//! is the address's network.

mod network;

pub use network::ClientNetwork;
pub(crate) use network::Prefixes;
