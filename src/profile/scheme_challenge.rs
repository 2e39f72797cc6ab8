//! One challenge of `WWW-Authenticate` in the vendor's own form.

/// Describes one line of `WWW-Authenticate`: a scheme, the profile's realm, and parameters (RFC 9110 §11.6.1).
///
/// Without a list, a gate writes one challenge for each [credential source](super::CredentialSource). A list in
/// [`Profile::challenges`](crate::Profile) replaces these, and a list of [`Answer::challenges`](super::Answer::challenges) replaces both. The
/// row's [`Challenge`](super::Challenge) still adds its `error` to the lines with the scheme `Bearer`.
///
/// Parameters are written in quotes, and have no placeholders. A layer refuses a name that is no token (RFC 9110 §5.6.2), a name that is
/// listed twice, and a value with other characters than visible ASCII and blanks. It also checks the grammar of
/// `error`, `error_description`, `error_uri` and `scope` (RFC 6750 §3), and of `resource_metadata` (RFC 9728 §5.1).
///
/// ```
/// use tower_api_key::profile::SchemeChallenge;
/// use tower_api_key::{ApiKeyLayer, Denial, Profile, store::MemoryStore};
///
/// // Clients of the Model Context Protocol look up the resource's metadata.
/// const METADATA: &str = "https://mcp.example.com/.well-known/oauth-protected-resource";
/// const BEARER: SchemeChallenge =
///     SchemeChallenge::new("Bearer").parameters(&[("resource_metadata", METADATA)]);
/// let challenges = [BEARER, SchemeChallenge::new("ApiKey").without_realm()];
/// let profile = Profile { challenges: &challenges, ..Profile::STANDARD };
/// let layer = ApiKeyLayer::builder(profile, MemoryStore::new()).build()?;
///
/// let answer = layer.answer(&Denial::KeyUnknown);
/// let lines: Vec<_> = answer.headers().get_all("www-authenticate").iter().collect();
/// let bearer = format!(r#"Bearer realm="api", error="invalid_token", resource_metadata="{METADATA}""#);
/// assert_eq!(lines, [bearer.as_str(), "ApiKey"]);
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchemeChallenge<'a> {
    pub(crate) scheme: &'a str,
    pub(crate) has_realm: bool,
    pub(crate) parameters: &'a [(&'a str, &'a str)],
}

impl<'a> SchemeChallenge<'a> {
    /// Describes a challenge with this scheme and the profile's realm.
    pub const fn new(scheme: &'a str) -> Self {
        Self { scheme, has_realm: true, parameters: &[] }
    }

    /// Adds parameters, as names and values, after the realm.
    pub const fn parameters(mut self, parameters: &'a [(&'a str, &'a str)]) -> Self {
        self.parameters = parameters;
        self
    }

    /// Leaves the realm out. A challenge without parameters is the name of its scheme.
    pub const fn without_realm(mut self) -> Self {
        self.has_realm = false;
        self
    }
}
