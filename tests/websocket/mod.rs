//! WebSockets behind a gate: keys among the offered protocols, routes, and permits of sockets.

mod protocol;
