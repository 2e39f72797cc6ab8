//! Sources of credentials, as they stand in a file.

use bumpalo::Bump;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::profile::{BasicKey, CredentialSource, Scheme};

/// One place of a request that carries keys.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CredentialTable {
    scheme: SchemeTable,
    /// The kinds of keys that may come this way. Without this list, all may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kinds: Option<Vec<String>>,
    /// Lets a request carry the same key here and in another source that allows it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    allow_equal: bool,
}

/// Where the key is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum SchemeTable {
    /// `Authorization: Basic`
    Basic(BasicKeyTable),
    /// `Authorization: Bearer`
    Bearer,
    /// `Authorization: Bearer`, with more characters than RFC 6750 allows.
    WideBearer,
    /// `Authorization` with a scheme of this name.
    Named(String),
    /// `Authorization` with a scheme of this name, and two values in Base64.
    NamedPair { name: String, key: BasicKeyTable },
    /// A header of this name.
    Header(String),
    /// A parameter of the query, which logs and browsers keep.
    InsecureQuery(String),
    /// A protocol of a WebSocket with this prefix.
    WebsocketProtocol(String),
    /// Two headers: the id of a key, and its secret.
    IdAndSecret { id: String, secret: String },
}

/// Which of two values is the key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum BasicKeyTable {
    /// The password, with this user name.
    PasswordOf(String),
    /// The password with any user name, or the user name with an empty password.
    UserOrPassword,
    /// The user name, with any password.
    UserName,
    /// The password is the secret of the key whose id is the user name.
    SecretOfId,
}

impl CredentialTable {
    pub(super) fn describe<'a>(&'a self, room: &'a Bump) -> CredentialSource<'a> {
        let kinds = self.kinds.as_ref().map(|kinds| texts(kinds, room));
        CredentialSource { scheme: self.scheme.describe(), kinds, allow_equal: self.allow_equal }
    }

    pub(super) fn of(source: &CredentialSource<'_>) -> Self {
        Self {
            scheme: SchemeTable::of(source.scheme),
            kinds: source.kinds.map(owned),
            allow_equal: source.allow_equal,
        }
    }
}

/// Copies the texts of a list.
pub(super) fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Returns the texts of a list.
pub(super) fn texts<'a>(list: &'a [String], room: &'a Bump) -> &'a [&'a str] {
    room.alloc_slice_fill_iter(list.iter().map(String::as_str))
}

impl SchemeTable {
    fn describe(&self) -> Scheme<'_> {
        match self {
            Self::Basic(key) => Scheme::Basic(key.describe()),
            Self::Bearer => Scheme::Bearer,
            Self::WideBearer => Scheme::WideBearer,
            Self::Named(name) => Scheme::Named(name),
            Self::NamedPair { name, key } => Scheme::NamedPair(name, key.describe()),
            Self::Header(name) => Scheme::Header(name),
            Self::InsecureQuery(name) => Scheme::InsecureQuery(name),
            Self::WebsocketProtocol(prefix) => Scheme::WebSocketProtocol(prefix),
            Self::IdAndSecret { id, secret } => Scheme::IdAndSecret { id, secret },
        }
    }

    fn of(scheme: Scheme<'_>) -> Self {
        let own = |text: &str| text.to_owned();
        match scheme {
            Scheme::Basic(key) => Self::Basic(BasicKeyTable::of(key)),
            Scheme::Bearer => Self::Bearer,
            Scheme::WideBearer => Self::WideBearer,
            Scheme::Named(name) => Self::Named(own(name)),
            Scheme::NamedPair(name, key) => {
                Self::NamedPair { name: own(name), key: BasicKeyTable::of(key) }
            }
            Scheme::Header(name) => Self::Header(own(name)),
            Scheme::InsecureQuery(name) => Self::InsecureQuery(own(name)),
            Scheme::WebSocketProtocol(prefix) => Self::WebsocketProtocol(own(prefix)),
            Scheme::IdAndSecret { id, secret } => {
                Self::IdAndSecret { id: own(id), secret: own(secret) }
            }
        }
    }
}

impl BasicKeyTable {
    fn describe(&self) -> BasicKey<'_> {
        match self {
            Self::PasswordOf(user) => BasicKey::PasswordOf(user),
            Self::UserOrPassword => BasicKey::UserOrPassword,
            Self::UserName => BasicKey::UserName,
            Self::SecretOfId => BasicKey::SecretOfId,
        }
    }

    fn of(key: BasicKey<'_>) -> Self {
        match key {
            BasicKey::PasswordOf(user) => Self::PasswordOf(user.to_owned()),
            BasicKey::UserOrPassword => Self::UserOrPassword,
            BasicKey::UserName => Self::UserName,
            BasicKey::SecretOfId => Self::SecretOfId,
        }
    }
}
