//! A vendor as data: which credentials it reads, how its keys look, what it demands of a request,
//! and how it answers each kind of denial.

use crate::key::KeyFormat;
use crate::profile::{Answers, CredentialSource, LimitHeaders, PrincipalHeader, RequiredHeader};
use crate::quota::Quota;

/// Describes a vendor's front door. The five that ship are constants of this type, in
/// [`vendors`](crate::vendors); a sixth is written with the same fields.
///
/// It borrows all that it names, from constants or from anything else: what a function computes, or a file says.
/// A gate that is built of it keeps nothing borrowed.
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
///
/// One that is known at run time only:
///
/// ```
/// use tower_api_key::{ApiKeyLayer, ConfigError, Profile, store::MemoryStore, vendors};
///
/// fn gate(realm: &str, prefix: &str) -> Result<ApiKeyLayer, ConfigError> {
///     use tower_api_key::key::{Alphabet, KeyFormat};
///
///     let formats = [KeyFormat::new().literal(prefix).characters(Alphabet::Base62, 24)];
///     let profile = Profile { realm, formats: &formats, ..vendors::POLYTEIA };
///     ApiKeyLayer::builder(profile, MemoryStore::new()).build()
/// }
/// assert!(gate(&String::from("api.example.com"), &String::from("acme_")).is_ok());
/// ```
///
/// A minor release may add a field. A profile that ends with struct update takes the other's value for it and
/// goes on to compile; one that names every field has to name the new one.
#[derive(Debug, Clone, Copy)]
pub struct Profile<'a> {
    /// The vendor's name, for logs.
    pub name: &'a str,
    /// The realm of its challenges (RFC 9110 §11.5).
    pub realm: &'a str,
    /// Where keys are read from; a 401 challenges for each, in this order.
    pub credentials: &'a [CredentialSource<'a>],
    /// How its keys look; a text that fits none is refused without asking the store.
    pub formats: &'a [KeyFormat<'a>],
    /// The headers that every request must have besides the credential.
    pub required_headers: &'a [RequiredHeader<'a>],
    /// The quotas of an account that has none of its own.
    pub quotas: &'a [Quota],
    /// How limits are told.
    pub limit_headers: LimitHeaders,
    /// What responses to authenticated requests say of the principal.
    pub principal_headers: &'a [PrincipalHeader<'a>],
    /// How each kind of denial is answered.
    pub answers: Answers<'a>,
}
