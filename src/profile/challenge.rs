//! What a refusal says in `WWW-Authenticate`.

/// Chooses what `WWW-Authenticate` says besides the realm.
///
/// ```
/// # use tower_api_key::{ApiKeyLayer, Denial, store::MemoryStore, vendors};
/// # let layer = ApiKeyLayer::builder(vendors::POLYTEIA, MemoryStore::new()).build()?;
/// let says = |denial| layer.answer(&denial).headers()["www-authenticate"].clone();
/// assert_eq!(says(Denial::CredentialsMissing), r#"Bearer realm="Polyteia""#); // Bare
/// let invalid_token = r#"Bearer realm="Polyteia", error="invalid_token""#;
/// assert_eq!(says(Denial::KeyUnknown), invalid_token);
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Challenge {
    /// No `WWW-Authenticate`; a 401 may not have this.
    None,
    /// The realm alone: no credentials came (RFC 6750 §3.1).
    Bare,
    /// `error="invalid_request"` in the Bearer challenge.
    InvalidRequest,
    /// `error="invalid_token"` in the Bearer challenge.
    InvalidToken,
    /// `error="insufficient_scope"` in the Bearer challenge, with the scopes needed.
    InsufficientScope,
}
