//! The shell: a tower layer that carries requests through the decision, and decides nothing.
//!
//! This room guards the inner service. It is called only
//!
//! 1. when the decision admitted the request, with the [`Grant`](crate::Grant) in its extensions;
//! 2. by the instance that was polled ready;
//! 3. with the credential marked sensitive, or removed.
//!
//! The server must say how each connection came: put a
//! [`Connection`](crate::request::Connection) into the extensions of its requests, with
//! [`MarkConnection`] or by hand. Without one, every request counts as plain HTTP from nowhere.
//!
//! A request that waits for the store or for a place holds the ready instance of the inner service:
//! limit the inner service's own concurrency outside the gate, not inside, or one account's queue
//! takes the places of all. An upgraded connection (101) gives its place back with the response.

mod body;
mod builder;
mod charging;
mod connection;
mod flow;
mod future;
mod gate;
mod layer;
mod limiting;
mod observer;
mod passage;
mod preflight;
mod serving;
mod wait;

pub use body::GateBody;
pub use builder::ApiKeyLayerBuilder;
pub use connection::MarkConnection;
pub use future::ResponseFuture;
pub use gate::ApiKeyGate;
pub use layer::ApiKeyLayer;
pub use observer::Observer;
pub use preflight::Preflight;
