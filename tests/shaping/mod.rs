//! JSON responses by key: what changes, what passes, and what is refused.

mod bodies;
mod choices;
mod headers;
mod origin;
mod sockets;
mod vague;
