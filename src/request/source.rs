//! The credential sources of a gate, which own what the profile's sources borrow.

use http::HeaderName;
use http::header::SEC_WEBSOCKET_PROTOCOL;

use super::field::{field_name, is_of_the_connection};
use crate::error::ConfigError;
use crate::profile::{BasicKey, CredentialSource, Scheme};

/// A part of a request that a gate reads keys from.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(super) carrier: Carrier,
    pub(super) kinds: Option<Box<[Box<str>]>>,
    pub(super) allows_equal: bool,
}

/// The part of a request that carries a key.
#[derive(Debug, Clone)]
pub(super) enum Carrier {
    /// A scheme of `Authorization`.
    Scheme(Form),
    /// A header whose whole value is the key.
    Header(HeaderName),
    /// Two headers, of which one has the key's id.
    Headers { id: HeaderName, secret: HeaderName },
    /// A query parameter.
    Query,
    /// A protocol that a WebSocket client offers.
    WebSocketProtocol,
}

/// How a scheme writes a key.
#[derive(Debug, Clone)]
pub(super) enum Form {
    /// As a token of the Bearer scheme.
    Token,
    /// In visible ASCII.
    Visible,
    /// As a Basic pair.
    Pair(BasicRule),
}

/// Which part of a Basic pair is the key.
#[derive(Debug, Clone)]
pub(super) enum BasicRule {
    PasswordOf(Box<str>),
    UserOrPassword,
    UserName,
    SecretOfId,
}

/// The index of a source in its profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SourceIndex(pub(super) usize);

impl Source {
    /// Copies what a source borrows.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the list of kinds is empty, or a header cannot carry a key.
    pub(super) fn new(source: &CredentialSource<'_>) -> Result<Self, ConfigError> {
        if source.kinds.is_some_and(<[_]>::is_empty) {
            let place = format!("credential source `{}`", source.scheme.label().escape_debug());
            return Err(ConfigError::NoAlternative { place, list: "only" });
        }
        let carrier = match source.scheme {
            Scheme::Basic(rule) | Scheme::NamedPair(_, rule) => {
                Carrier::Scheme(Form::Pair(rule.into()))
            }
            Scheme::Bearer => Carrier::Scheme(Form::Token),
            Scheme::WideBearer | Scheme::Named(_) => Carrier::Scheme(Form::Visible),
            Scheme::IdAndSecret { id, secret } => {
                Carrier::Headers { id: own_name(id)?, secret: own_name(secret)? }
            }
            Scheme::InsecureQuery(_) => Carrier::Query,
            Scheme::WebSocketProtocol(_) => Carrier::WebSocketProtocol,
            Scheme::Header(name) => Carrier::Header(own_name(name)?),
        };
        let kinds = source.kinds.map(|kinds| kinds.iter().copied().map(Box::from).collect());
        Ok(Self { carrier, kinds, allows_equal: source.allow_equal })
    }

    /// Returns the kinds of keys that the source accepts; `None` means all.
    pub(crate) fn kinds(&self) -> Option<&[Box<str>]> {
        self.kinds.as_deref()
    }

    /// Returns true if a client presents the id of its key beside the key.
    pub(super) const fn has_id(&self) -> bool {
        matches!(
            self.carrier,
            Carrier::Headers { .. } | Carrier::Scheme(Form::Pair(BasicRule::SecretOfId))
        )
    }

    /// Returns true if `Authorization` carries the key. Caches know that header.
    pub(crate) const fn is_in_authorization(&self) -> bool {
        matches!(self.carrier, Carrier::Scheme(_))
    }

    /// Returns true if the query carries the key.
    pub(crate) const fn is_in_query(&self) -> bool {
        matches!(self.carrier, Carrier::Query)
    }

    /// Returns true if a protocol that a WebSocket client offers carries the key.
    pub(super) const fn is_in_protocol(&self) -> bool {
        matches!(self.carrier, Carrier::WebSocketProtocol)
    }

    /// Lists the headers that carry the key, without `Authorization`, which caches know.
    pub(crate) fn uncommon_headers(&self) -> impl Iterator<Item = &HeaderName> {
        let protocol = self.is_in_protocol().then_some(&SEC_WEBSOCKET_PROTOCOL);
        self.own_headers().chain(protocol)
    }

    /// Lists the vendor's own headers that carry the key, and its id.
    pub(super) fn own_headers(&self) -> impl Iterator<Item = &HeaderName> {
        let (first, second) = match &self.carrier {
            Carrier::Header(name) => (Some(name), None),
            Carrier::Headers { id, secret } => (Some(secret), Some(id)),
            Carrier::Scheme(_) | Carrier::Query | Carrier::WebSocketProtocol => (None, None),
        };
        first.into_iter().chain(second)
    }
}

/// Checks the name of a vendor's own header that carries keys.
fn own_name(name: &str) -> Result<HeaderName, ConfigError> {
    const WHAT: &str = "the profile's field `credentials`, the header";
    let name = field_name(WHAT, name)?;
    if is_of_the_connection(&name) {
        let problem =
            "HTTP defines the value of this header: name another one, such as `x-api-key`";
        return Err(ConfigError::Header { what: WHAT, value: name.to_string(), problem });
    }
    Ok(name)
}

impl BasicRule {
    pub(super) fn as_key(&self) -> BasicKey<'_> {
        match self {
            Self::PasswordOf(user) => BasicKey::PasswordOf(user),
            Self::UserOrPassword => BasicKey::UserOrPassword,
            Self::UserName => BasicKey::UserName,
            Self::SecretOfId => BasicKey::SecretOfId,
        }
    }
}

impl From<BasicKey<'_>> for BasicRule {
    fn from(key: BasicKey<'_>) -> Self {
        match key {
            BasicKey::PasswordOf(user) => Self::PasswordOf(user.into()),
            BasicKey::UserOrPassword => Self::UserOrPassword,
            BasicKey::UserName => Self::UserName,
            BasicKey::SecretOfId => Self::SecretOfId,
        }
    }
}
