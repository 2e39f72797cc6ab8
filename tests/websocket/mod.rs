//! WebSockets behind a gate: keys among the offered protocols, routes, and permits of sockets.

mod browser;
mod client;
#[cfg(feature = "http2")]
mod extended;
mod permits;
mod plain;
mod protocol;
mod server;
#[cfg(feature = "http2")]
mod tls;
mod upgrade;
