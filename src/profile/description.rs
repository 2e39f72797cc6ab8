//! A vendor as data: which credentials it reads, how its keys look, what it demands of a request,
//! and how it answers each kind of denial.

use super::answer::Answers;
use super::limit_headers::LimitHeaders;
use super::principal::PrincipalHeader;
use super::required_header::RequiredHeader;
use super::source::CredentialSource;
use crate::key::{KeyFormat, Quota};

/// Describes a vendor's front door. The five that ship are constants of this type, in
/// [`vendors`](crate::vendors); a sixth is written with the same fields.
///
/// A shipped one is changed by struct update:
///
/// ```
/// use tower_api_key::{Profile, vendors};
///
/// const OURS: Profile = Profile {
///     realm: "api.example.com",
///     ..vendors::POLYTEIA
/// };
/// # use tower_api_key::{ApiKeyLayer, Denial, store::MemoryStore};
/// let layer = ApiKeyLayer::builder(OURS, MemoryStore::new()).build()?;
/// let answer = layer.answer(&Denial::CredentialsMissing);
/// assert_eq!(answer.headers()["www-authenticate"], r#"Bearer realm="api.example.com""#);
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Profile {
    /// The vendor's name, for logs.
    pub name: &'static str,
    /// The realm of its challenges (RFC 9110 §11.5).
    pub realm: &'static str,
    /// Where keys are read from; a 401 challenges for each, in this order.
    pub credentials: &'static [CredentialSource],
    /// How its keys look; a text that fits none is refused without asking the store.
    pub formats: &'static [KeyFormat],
    /// The headers that every request must have besides the credential.
    pub required_headers: &'static [RequiredHeader],
    /// The quotas of an account that has none of its own.
    pub quotas: &'static [Quota],
    /// How limits are told.
    pub limit_headers: LimitHeaders,
    /// What responses to authenticated requests say of the principal.
    pub principal_headers: &'static [PrincipalHeader],
    /// How each kind of denial is answered.
    pub answers: Answers,
}
