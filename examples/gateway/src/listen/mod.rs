//! Accepts connections: TLS with certificates that can change, and one server for each connection.

mod accept;
mod access_log;
mod certificate;
mod connection;
mod entrance;
mod managed;
mod place;
mod placed_body;

pub(crate) use accept::Listener;
pub(crate) use certificate::Certificate;
pub(crate) use connection::Server;
pub(crate) use place::Place;
