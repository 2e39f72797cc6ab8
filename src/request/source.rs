//! Where a gate reads keys from: a profile's sources, owning what those borrow.

use http::HeaderName;

use crate::profile::BasicKey;

/// A place that a gate reads keys from.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(super) carrier: Carrier,
    pub(super) kinds: Option<Box<[Box<str>]>>,
}

/// How a key travels.
#[derive(Debug, Clone)]
pub(super) enum Carrier {
    Basic(BasicRule),
    Bearer,
    Header(HeaderName),
}

/// Where in a Basic pair the key is.
#[derive(Debug, Clone)]
pub(super) enum BasicRule {
    PasswordOf(Box<str>),
    UserOrPassword,
}

/// The place of a source in its profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SourceIndex(pub(super) usize);

impl Source {
    /// Returns the kinds of keys that serve through it; `None` means all.
    pub(crate) fn kinds(&self) -> Option<&[Box<str>]> {
        self.kinds.as_deref()
    }

    /// Returns the header whose whole value is the key; `None` for a scheme of `Authorization`.
    pub(crate) const fn own_header(&self) -> Option<&HeaderName> {
        match &self.carrier {
            Carrier::Header(name) => Some(name),
            Carrier::Basic(_) | Carrier::Bearer => None,
        }
    }
}

impl BasicRule {
    pub(super) fn as_key(&self) -> BasicKey<'_> {
        match self {
            Self::PasswordOf(user) => BasicKey::PasswordOf(user),
            Self::UserOrPassword => BasicKey::UserOrPassword,
        }
    }
}

impl From<BasicKey<'_>> for BasicRule {
    fn from(key: BasicKey<'_>) -> Self {
        match key {
            BasicKey::PasswordOf(user) => Self::PasswordOf(user.into()),
            BasicKey::UserOrPassword => Self::UserOrPassword,
        }
    }
}
