//! The challenges in `WWW-Authenticate`.

/// Chooses the parameters of `WWW-Authenticate`, apart from the realm.
///
/// ```
/// use tower_api_key::{ApiKeyLayer, Denial, store::MemoryStore, vendors};
///
/// let layer = ApiKeyLayer::builder(vendors::POLYTEIA, MemoryStore::new()).build()?;
/// let challenge = |denial| layer.answer(&denial).headers()["www-authenticate"].clone();
///
/// assert_eq!(challenge(Denial::CredentialsMissing), r#"Bearer realm="Polyteia""#); // Bare
/// let invalid_token = r#"Bearer realm="Polyteia", error="invalid_token""#;
/// assert_eq!(challenge(Denial::KeyUnknown), invalid_token);
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Challenge {
    /// No `WWW-Authenticate`. A layer refuses this on a 401.
    None,
    /// The realm alone, for a request without a credential (RFC 6750 §3.1).
    Bare,
    /// `error="invalid_request"` in the Bearer challenge.
    InvalidRequest,
    /// `error="invalid_token"` in the Bearer challenge.
    InvalidToken,
    /// `error="insufficient_scope"` in the Bearer challenge, with the scopes that the request needs.
    InsufficientScope,
}
