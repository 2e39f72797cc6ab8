//! The sources that keys are read from, as data.

/// Names a part of the request that keys are read from, and the kinds of keys that it accepts.
///
/// | a client sends | source |
/// |---|---|
/// | `Authorization: Bearer KEY` | [`bearer`](Self::bearer), or [`wide_bearer`](Self::wide_bearer) for imported keys |
/// | `Authorization: Token KEY` | [`scheme`](Self::scheme) |
/// | `curl -u api:KEY`, `KEY:` or `ID:KEY` | [`basic`](Self::basic) with a [`BasicKey`] |
/// | `Authorization: ApiKey BASE64`, of a pair | [`pair`](Self::pair) |
/// | `X-Api-Key: KEY` | [`header`](Self::header) |
/// | `X-Key-Id: ID` and `X-Key-Secret: KEY` | [`id_and_secret`](Self::id_and_secret) |
/// | `GET /v1/users?key=KEY` | [`insecure_query`](Self::insecure_query) |
/// | `new WebSocket(url, ["chat.v1", "api-key.KEY"])` | [`websocket_protocol`](Self::websocket_protocol) |
///
/// ```
/// use tower_api_key::profile::{BasicKey, CredentialSource};
///
/// const BASIC: CredentialSource = CredentialSource::basic(BasicKey::PasswordOf("api"));
/// const BEARER: CredentialSource = CredentialSource::bearer();
/// const SCHEME: CredentialSource = CredentialSource::scheme("DeepL-Auth-Key");
/// const CUSTOM: CredentialSource = CredentialSource::header("x-api-key").only(&["partner"]);
/// assert_eq!(CUSTOM.kinds, Some(&["partner"][..]));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CredentialSource<'a> {
    /// The scheme that carries the key.
    pub scheme: Scheme<'a>,
    /// The kinds of keys that this source accepts; `None` means all. A layer refuses an empty list.
    pub kinds: Option<&'a [&'a str]>,
    /// Whether a request may carry the same key in this source and in others that allow it.
    pub allow_equal: bool,
}

impl<'a> CredentialSource<'a> {
    const fn of(scheme: Scheme<'a>) -> Self {
        Self { scheme, kinds: None, allow_equal: false }
    }

    /// Reads `Authorization: Basic` (RFC 7617).
    pub const fn basic(key: BasicKey<'a>) -> Self {
        Self::of(Scheme::Basic(key))
    }

    /// Reads `Authorization: Bearer` (RFC 6750 §2.1).
    pub const fn bearer() -> Self {
        Self::of(Scheme::Bearer)
    }

    /// Reads `Authorization: Bearer`, and accepts tokens with any visible ASCII. Use it for imported keys that
    /// RFC 6750 §2.1 does not allow, such as `12|abc` or `perm:abc`.
    pub const fn wide_bearer() -> Self {
        Self::of(Scheme::WideBearer)
    }

    /// Reads `Authorization` with a scheme of this name, in any case: `Authorization: Token KEY`. The key may
    /// have any visible ASCII, more than a `token68` of RFC 9110 §11.2: some vendors' keys have a `:`.
    pub const fn scheme(name: &'a str) -> Self {
        Self::of(Scheme::Named(name))
    }

    /// Reads `Authorization` with a scheme of this name, in any case, whose value is a pair in base64, as in
    /// Basic.
    pub const fn pair(name: &'a str, key: BasicKey<'a>) -> Self {
        Self::of(Scheme::NamedPair(name, key))
    }

    /// Reads a header of this name, in any case, whose whole value is the key.
    pub const fn header(name: &'a str) -> Self {
        Self::of(Scheme::Header(name))
    }

    /// Reads a pair from two headers: the [id](crate::key::KeyRecord::id) of the key, and the key. A wrong id is
    /// answered like an unknown key.
    pub const fn id_and_secret(id: &'a str, secret: &'a str) -> Self {
        Self::of(Scheme::IdAndSecret { id, secret })
    }

    /// Reads a query parameter of this name: `GET /v1/users?key=KEY`.
    ///
    /// This is insecure (RFC 6750 §2.3): proxies, browsers and servers log and keep URLs. Use it only if a
    /// vendor documents it. The gate removes the parameter from the URI that handlers see, removes a `Referer` that has
    /// it, and answers with `Cache-Control: private` and `Referrer-Policy: no-referrer`. In a deployment:
    ///
    /// * A layer outside of the gate still sees the key: put layers that log requests inside. Also, let no proxy
    ///   copy the URL into a header such as `X-Original-URI`.
    /// * axum keeps a copy of the URI (`OriginalUri`), which the gate can change only with the feature `axum`.
    /// * A second gate inside of the first finds no key in the query.
    ///
    /// The name has letters, digits and `-._~`, and is compared with regard to case. A query that another program
    /// could read differently is refused as ambiguous: a second such parameter, one after a `;`, or a name that
    /// differs in case only. A key may have any visible ASCII, percent-encoded; a plain `+` is refused, because it
    /// may mean a space. A CORS preflight repeats the query, so a gate that admits or answers preflights does not
    /// take its key for a credential.
    pub const fn insecure_query(name: &'a str) -> Self {
        Self::of(Scheme::InsecureQuery(name))
    }

    /// Reads a protocol that a WebSocket client offers in `Sec-WebSocket-Protocol` (RFC 6455 §4.1): the text after
    /// this prefix is the key. A page in a browser can send a key to a WebSocket in no other header.
    ///
    /// ```js
    /// new WebSocket("wss://api.example.com/v1/live", ["chat.v1", "api-key." + key])
    /// ```
    ///
    /// The gate reads the protocols of a WebSocket handshake only: a `GET` of HTTP/1.1 with `Upgrade: websocket`,
    /// or an extended `CONNECT` of HTTP/2 (RFC 8441, feature `http2`).
    ///
    /// A browser closes the socket if it has offered protocols and the answer selects none of them. The gate
    /// removes the key from the offered protocols in every request, so the service can never select the key.
    /// Clients must offer a second protocol, which the service selects. If it selects none, let the gate
    /// [select one](crate::ApiKeyLayerBuilder::select_websocket_protocol).
    ///
    /// The prefix and the key are compared with regard to case. They have letters, digits and
    /// ``!#$%&'*+-.^_`|~``. A layer outside of the gate still sees the key, not marked as sensitive: put layers that
    /// log headers inside.
    pub const fn websocket_protocol(prefix: &'a str) -> Self {
        Self::of(Scheme::WebSocketProtocol(prefix))
    }

    /// Accepts only keys of these kinds through this source.
    pub const fn only(mut self, kinds: &'a [&'a str]) -> Self {
        self.kinds = Some(kinds);
        self
    }

    /// Accepts a request that carries the same key in this source and in others. All of them must allow it.
    /// Different keys are refused, as two credentials always are without this choice.
    ///
    /// ```
    /// use tower_api_key::profile::CredentialSource;
    ///
    /// const EITHER_OR_BOTH: &[CredentialSource] = &[
    ///     CredentialSource::bearer().allow_equal(),
    ///     CredentialSource::header("x-api-key").allow_equal(),
    /// ];
    /// assert!(EITHER_OR_BOTH.iter().all(|source| source.allow_equal));
    /// ```
    pub const fn allow_equal(mut self) -> Self {
        self.allow_equal = true;
        self
    }
}

/// Names the scheme or header that carries a key.
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
    /// `Authorization: Basic`, where a part of the pair is the key.
    Basic(BasicKey<'a>),
    /// `Authorization: Bearer`, where the token is the key.
    Bearer,
    /// `Authorization: Bearer`, where the token may have any visible ASCII, beyond RFC 6750 §2.1.
    WideBearer,
    /// `Authorization` with a scheme of this name, in any case. What follows the scheme is the key, in visible
    /// ASCII.
    Named(&'a str),
    /// `Authorization` with a scheme of this name, in any case, whose value is a pair in base64, as in Basic.
    NamedPair(&'a str, BasicKey<'a>),
    /// A header of this name, in any case, whose whole value is the key.
    Header(&'a str),
    /// A query parameter of this name, whose value is the key. Insecure: URLs are logged.
    InsecureQuery(&'a str),
    /// A protocol that a WebSocket client offers. What follows this prefix is the key.
    WebSocketProtocol(&'a str),
    /// Two headers, of which one has the id of the key.
    IdAndSecret {
        /// The header that has the key's id.
        id: &'a str,
        /// The header whose whole value is the key.
        secret: &'a str,
    },
}

/// Chooses which part of a Basic pair is the key.
///
/// ```
/// use tower_api_key::profile::{BasicKey, CredentialSource};
/// use tower_api_key::vendors;
///
/// /// `curl -u api:KEY`
/// const PASSWORD: CredentialSource = CredentialSource::basic(BasicKey::PasswordOf("api"));
/// assert_eq!(vendors::PERSONYZE.credentials, [PASSWORD]);
///
/// /// `curl -u KEY:`, or `curl -u any:KEY`
/// const EITHER: CredentialSource = CredentialSource::basic(BasicKey::UserOrPassword);
/// assert_eq!(vendors::POLYTOMIC_ON_PREMISES.credentials[0].scheme, EITHER.scheme);
///
/// /// `curl -u KEY:`, or `curl -u KEY:X`
/// const USER: CredentialSource = CredentialSource::basic(BasicKey::UserName);
///
/// /// `Authorization: ApiKey BASE64`, where `BASE64` is `ID:KEY` in base64
/// const ENCODED: CredentialSource = CredentialSource::pair("ApiKey", BasicKey::SecretOfId);
/// assert_ne!(USER, ENCODED);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BasicKey<'a> {
    /// The password. The user name must be exactly this one.
    PasswordOf(&'a str),
    /// The password with any user name, or the user name if the password is empty.
    UserOrPassword,
    /// The user name. The password may be anything, or empty.
    UserName,
    /// The password. The user name must be the [id](crate::key::KeyRecord::id) of the key. A wrong id is
    /// answered like an unknown key.
    SecretOfId,
}

impl<'a> Scheme<'a> {
    /// Returns true for a scheme of `Authorization`.
    pub(crate) const fn is_in_authorization(self) -> bool {
        match self {
            Self::Basic(_)
            | Self::Bearer
            | Self::WideBearer
            | Self::Named(_)
            | Self::NamedPair(..) => true,
            Self::Header(_)
            | Self::IdAndSecret { .. }
            | Self::InsecureQuery(_)
            | Self::WebSocketProtocol(_) => false,
        }
    }

    /// Returns true if a client presents the id of its key beside the key.
    pub(crate) const fn has_id(self) -> bool {
        match self {
            Self::Basic(key) | Self::NamedPair(_, key) => matches!(key, BasicKey::SecretOfId),
            Self::IdAndSecret { .. } => true,
            Self::Bearer
            | Self::WideBearer
            | Self::Named(_)
            | Self::Header(_)
            | Self::InsecureQuery(_)
            | Self::WebSocketProtocol(_) => false,
        }
    }

    /// Returns true for the Bearer scheme, whose challenge has errors and scopes (RFC 6750 §3).
    pub(crate) const fn is_bearer(self) -> bool {
        matches!(self, Self::Bearer | Self::WideBearer)
    }

    /// Returns the scheme's name in a challenge, or the header's name.
    pub(crate) const fn label(self) -> &'a str {
        match self {
            Self::Basic(_) => "Basic",
            Self::Bearer | Self::WideBearer => "Bearer",
            Self::IdAndSecret { secret, .. } => secret,
            Self::Named(name)
            | Self::NamedPair(name, _)
            | Self::Header(name)
            | Self::InsecureQuery(name)
            | Self::WebSocketProtocol(name) => name,
        }
    }
}
