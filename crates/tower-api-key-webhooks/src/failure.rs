//! Why a delivery failed, in words for an operator.

use std::io;

use tower_api_key::events::DeliveryError;

/// The name did not resolve.
pub(crate) fn unresolved() -> DeliveryError {
    DeliveryError::new("the receiver's name does not resolve: check its DNS records")
}

/// All addresses of the name are private, local or reserved.
pub(crate) fn closed() -> DeliveryError {
    DeliveryError::new(
        "the receiver's name resolves to private, local or reserved addresses only: correct its DNS records, or set \
         `insecure_allow_private_addresses`",
    )
}

/// No address took the connection.
pub(crate) fn unconnected(error: &io::Error) -> DeliveryError {
    DeliveryError::new(format!("the receiver cannot be reached: {}", error.kind()))
}

/// TLS failed.
pub(crate) fn untrusted() -> DeliveryError {
    DeliveryError::new(
        "TLS with the receiver failed: check that its certificate is valid and names its host",
    )
}

/// The connection broke.
pub(crate) fn broken() -> DeliveryError {
    DeliveryError::new("the receiver closed the connection, or did not answer in HTTP/1.1")
}

/// The time was up.
pub(crate) fn late() -> DeliveryError {
    DeliveryError::new("the receiver did not answer in time")
}
