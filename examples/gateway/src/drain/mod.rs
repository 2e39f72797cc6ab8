//! The end: requests and tunnels that are open when the gateway is asked to end, and the rest of refused requests.

#[allow(clippy::module_inception)]
mod drain;
#[path = "../../../vendors/src/drain.rs"]
mod drained;

pub(crate) use drain::Drain;
pub(crate) use drained::Drained;
