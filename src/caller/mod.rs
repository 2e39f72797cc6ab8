//! Who calls: a key, or the network of an anonymous client.
//!
//! A client that has not authenticated is known by its address only. A site has many addresses, so what counts
//! is the address's network.

#[expect(clippy::module_inception, reason = "the module is named for its main type")]
mod caller;
mod network;

pub use caller::Caller;
pub use network::ClientNetwork;
pub(crate) use network::Prefixes;
