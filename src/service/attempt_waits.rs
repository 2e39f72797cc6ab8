//! What waits for the count of an attempt that all processes share.

use std::net::IpAddr;

use super::charging::ChargeReply;
use crate::caller::ClientNetwork;
use crate::decision::KeyFacts;
use crate::error::Denial;
use crate::key::KeyDigest;
use crate::request::Client;

/// A key that was presented, and is looked up when its attempt is counted.
#[derive(Clone, Copy)]
pub(super) struct Presented {
    pub(super) digest: KeyDigest,
    pub(super) key: KeyFacts,
    pub(super) client: Client,
}

/// A key that waits for the count of its attempt.
pub(super) struct Reserving {
    pub(super) charge: ChargeReply,
    pub(super) presented: Presented,
    pub(super) network: ClientNetwork,
}

/// A failed attempt that waits for its count.
pub(super) struct CountedFailure {
    pub(super) charge: ChargeReply,
    pub(super) denial: Denial,
    pub(super) address: IpAddr,
}
