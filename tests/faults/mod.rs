//! What goes wrong around a gate, everywhere it can: a store, a limiter or the service behind it that
//! fails, hangs, panics, is late or answers when nobody waits any more, and a client that hangs up.
//!
//! After each of them
//!
//! 1. nothing has passed without a grant, and nothing has passed uncounted;
//! 2. the request's place is free again, and there is no more than the one;
//! 3. the counter was charged once at most;
//! 4. no task is left.

mod faulty;
mod hang_ups;
mod inner;
mod sockets;
mod table;
mod world;
