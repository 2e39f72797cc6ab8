//! A simulated Redis: the limiter's own scripts, over streams with delays, on a server that dies at stated instants.

mod keyspace;
#[cfg(test)]
mod likeness;
mod lua_struct;
mod scripts;
mod server;
mod stream;
mod wire;

pub use server::{Death, Recovery, RedisServer};
pub use stream::RedisStreams;
