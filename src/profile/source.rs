//! Where a profile reads keys from, as data.

/// Names a place that a profile reads keys from.
///
/// ```
/// use tower_api_key::profile::{BasicKey, CredentialSource};
///
/// const BASIC: CredentialSource = CredentialSource::basic(BasicKey::PasswordOf("api"));
/// const BEARER: CredentialSource = CredentialSource::bearer();
/// const CUSTOM: CredentialSource = CredentialSource::header("x-api-key").only(&["partner"]);
/// assert_eq!(CUSTOM.kinds, Some(&["partner"][..]));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CredentialSource<'a> {
    /// The scheme that carries the key.
    pub scheme: Scheme<'a>,
    /// The kinds of keys that serve through this source; `None` means all. An empty list is refused when
    /// a layer is built.
    pub kinds: Option<&'a [&'a str]>,
}

impl<'a> CredentialSource<'a> {
    /// Reads `Authorization: Basic` (RFC 7617).
    pub const fn basic(key: BasicKey<'a>) -> Self {
        Self { scheme: Scheme::Basic(key), kinds: None }
    }

    /// Reads `Authorization: Bearer` (RFC 6750 §2.1).
    pub const fn bearer() -> Self {
        Self { scheme: Scheme::Bearer, kinds: None }
    }

    /// Reads a header of the vendor's own, named in any case; its whole value is the key.
    pub const fn header(name: &'a str) -> Self {
        Self { scheme: Scheme::Header(name), kinds: None }
    }

    /// Lets only keys of these kinds serve through this source.
    pub const fn only(mut self, kinds: &'a [&'a str]) -> Self {
        self.kinds = Some(kinds);
        self
    }
}

/// Names how a key travels.
///
/// ```
/// use tower_api_key::{profile::Scheme, vendors};
///
/// let by_bearer = vendors::PERSONA.credentials.iter().all(|source| source.scheme == Scheme::Bearer);
/// assert!(by_bearer);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scheme<'a> {
    /// `Authorization: Basic`, with the key in the pair of user name and password.
    Basic(BasicKey<'a>),
    /// `Authorization: Bearer`, with the key as the token.
    Bearer,
    /// A header of this name, in any case.
    Header(&'a str),
}

/// Tells where in a Basic pair the key is.
///
/// ```
/// # use http::Request;
/// # use tower_api_key::clock::Timestamp;
/// # use tower_api_key::decision::{Check, Outcome};
/// # use tower_api_key::request::Connection;
/// # use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore, vendors};
/// use tower_api_key::profile::{BasicKey, CredentialSource};
///
/// # fn outcome(credentials: &[CredentialSource<'_>], basic: &str) -> Outcome {
/// #     let profile = Profile { credentials, ..vendors::POLYTOMIC_ON_PREMISES };
/// #     let layer = ApiKeyLayer::builder(profile, MemoryStore::new()).build().unwrap();
/// #     let request = Request::get("/").header("authorization", basic).body(()).unwrap();
/// #     let explanation = layer.explain(&request, Connection::unknown(), None, Timestamp::default());
/// #     explanation.outcome(Check::KeyWellFormed).clone()
/// # }
/// const EITHER: CredentialSource = CredentialSource::basic(BasicKey::UserOrPassword);
/// const OF_API: CredentialSource = CredentialSource::basic(BasicKey::PasswordOf("api"));
///
/// // `curl -u 01890a5d-ac96-774b-bcce-b302099a8057:`, with nothing after the colon
/// let basic = "Basic MDE4OTBhNWQtYWM5Ni03NzRiLWJjY2UtYjMwMjA5OWE4MDU3Og==";
/// assert_eq!(outcome(&[EITHER], basic), Outcome::Passed);
/// assert_eq!(outcome(&[OF_API], basic), Outcome::NotReached, "another user name");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BasicKey<'a> {
    /// The password, under exactly this user name.
    PasswordOf(&'a str),
    /// The password under any user name, or the user name if the password is empty.
    UserOrPassword,
}

impl<'a> Scheme<'a> {
    /// Returns the name that a challenge gives the scheme, or the header.
    pub(crate) const fn label(self) -> &'a str {
        match self {
            Self::Basic(_) => "Basic",
            Self::Bearer => "Bearer",
            Self::Header(name) => name,
        }
    }
}
