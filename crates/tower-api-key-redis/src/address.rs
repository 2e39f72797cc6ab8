//! The address of a server.

/// The host and port of a server.
pub(super) type Address = (String, u16);
