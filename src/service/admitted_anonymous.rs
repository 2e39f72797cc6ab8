//! The mark of a request that a gate admitted without a key.

/// The extension of a request that a gate admitted without a key, for the extractors.
#[derive(Debug, Clone, Copy)]
pub(super) struct AdmittedAnonymous;
