//! The servers behind the gateway: their connections, which of them gets a request, and which are left out.

mod dial;
mod endpoint;
mod failure;
mod health;
mod idle;
mod progress;
mod request_body;
mod send;
#[allow(clippy::module_inception)]
mod upstream;

pub(crate) use endpoint::InFlight;
pub(crate) use failure::SendError;
pub(crate) use idle::Idle;
pub(crate) use request_body::{Continue, Upload};
pub(crate) use send::{Answered, Outgoing};
pub(crate) use upstream::Upstream;
