//! The names in a record: account, key id, audience, environment, kind and plan.

use std::fmt;
use std::str::FromStr;

use smol_str::SmolStr;

/// The longest name, in bytes.
const MAX_NAME_BYTES: usize = 255;

/// Reports a name that is too long, is empty, or has characters that it may not have. The error does
/// not repeat the name.
///
/// ```
/// use tower_api_key::key::KeyId;
///
/// let error = KeyId::new("my secret key").unwrap_err();
/// assert_eq!(error.to_string(), "key id must be 1 to 255 visible ASCII characters");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} must be 1 to 255 visible ASCII characters{}", if *.scope { ", without quote or backslash" } else { "" })]
pub struct InvalidName {
    what: &'static str,
    scope: bool,
}

/// Checks a name, which may end up in a response header.
pub(super) fn check_name(what: &'static str, name: &str) -> Result<(), InvalidName> {
    let visible = name.bytes().all(|byte| byte.is_ascii_graphic());
    if name.is_empty() || name.len() > MAX_NAME_BYTES || !visible {
        return Err(InvalidName { what, scope: false });
    }
    Ok(())
}

/// Checks a scope name against `scope-token` (RFC 6749 §3.3).
pub(crate) fn check_scope(name: &str) -> Result<(), InvalidName> {
    if name.len() <= MAX_NAME_BYTES && is_scope_token(name) {
        Ok(())
    } else {
        Err(InvalidName { what: "scope", scope: true })
    }
}

/// Returns true if a text is a `scope-token` (RFC 6749 §3.3): visible ASCII without `"` and `\`.
pub(crate) fn is_scope_token(text: &str) -> bool {
    let in_token = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    !text.is_empty() && text.bytes().all(in_token)
}

macro_rules! name {
    ($(#[$documentation:meta])* $name:ident, $what:literal) => {
        $(#[$documentation])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(SmolStr);

        impl $name {
            /// Creates a name from 1 to 255 visible ASCII characters.
            ///
            /// # Errors
            ///
            /// [`InvalidName`] for any other text.
            pub fn new(name: impl AsRef<str>) -> Result<Self, InvalidName> {
                check_name($what, name.as_ref())?;
                Ok(Self(SmolStr::new(name)))
            }

            #[allow(dead_code, reason = "only some of these types have constant names")]
            pub(super) const fn fixed(name: &'static str) -> Self {
                Self(SmolStr::new_static(name))
            }

            /// Returns the name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, formatter)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(name: &str) -> Result<Self, InvalidName> {
                Self::new(name)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = InvalidName;

            fn try_from(name: &str) -> Result<Self, InvalidName> {
                Self::new(name)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(name: String) -> Result<Self, InvalidName> {
                Self::new(name)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0 == *other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.0 == **other
            }
        }
    };
}

name!(
    /// Names an account: the customer, organization or tenant that a key belongs to.
    ///
    /// ```
    /// use tower_api_key::key::AccountId;
    ///
    /// assert_eq!(AccountId::new("acme")?, "acme");
    /// assert!(AccountId::new("two words").is_err());
    /// # Ok::<(), tower_api_key::key::InvalidName>(())
    /// ```
    AccountId,
    "account id"
);
name!(
    /// Names what a key is for, such as an API or a vendor, where several gates share one store. See
    /// [`ApiKeyLayerBuilder::audience`](crate::ApiKeyLayerBuilder::audience).
    ///
    /// ```
    /// use tower_api_key::key::{Account, KeyRecord};
    ///
    /// let acme = Account::builder("acme").build()?;
    /// let record = KeyRecord::builder("key_1", acme).audience("billing").build()?;
    /// assert_eq!(record.audience().unwrap(), &"billing");
    /// # Ok::<(), tower_api_key::key::InvalidRecord>(())
    /// ```
    Audience,
    "audience"
);
name!(
    /// Names a key in logs and administration. The id is not secret, and it never authenticates a
    /// request.
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use tower_api_key::key::KeyId;
    ///
    /// let owners = HashMap::from([(KeyId::new("key_1")?, "Ada")]);
    /// assert_eq!(owners["key_1"], "Ada", "a `&str` finds it, too");
    /// # Ok::<(), tower_api_key::key::InvalidName>(())
    /// ```
    KeyId,
    "key id"
);
name!(
    /// Names the environment that a key belongs to, such as `sandbox` or `production`.
    /// [`ApiKeyLayerBuilder::environment`](crate::ApiKeyLayerBuilder::environment) pins a gate to one.
    ///
    /// ```
    /// use tower_api_key::key::Environment;
    ///
    /// assert_eq!(Environment::new("sandbox")?, "sandbox");
    /// # Ok::<(), tower_api_key::key::InvalidName>(())
    /// ```
    Environment,
    "environment"
);
name!(
    /// Names the kind of a key, such as `partner` or `deployment`. A
    /// [route](crate::rules::Route::kinds) or a [credential
    /// source](crate::profile::CredentialSource::only) can accept some kinds only.
    ///
    /// ```
    /// use tower_api_key::key::KeyKind;
    ///
    /// assert_eq!(KeyKind::new("partner")?, "partner");
    /// # Ok::<(), tower_api_key::key::InvalidName>(())
    /// ```
    KeyKind,
    "key kind"
);
name!(
    /// Names the plan of an account. The gate's [`Plans`](crate::limits::Plans) hold the quotas of each
    /// plan.
    ///
    /// ```
    /// use tower_api_key::key::PlanName;
    ///
    /// assert_eq!(PlanName::new("gold")?, "gold");
    /// # Ok::<(), tower_api_key::key::InvalidName>(())
    /// ```
    PlanName,
    "plan"
);

name!(
    /// Names a pepper of a keyring, such as the year in which it was made. The name is not secret. See
    /// [`Peppers`](super::Peppers).
    ///
    /// ```
    /// use tower_api_key::key::PepperName;
    ///
    /// assert_eq!(PepperName::new("2027")?, "2027");
    /// # Ok::<(), tower_api_key::key::InvalidName>(())
    /// ```
    PepperName,
    "name of a pepper"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_a_header_and_scopes_fit_a_quoted_string() {
        for (text, name, scope) in [
            ("users.read", true, true),
            ("a\"b", true, false),
            ("a\\b", true, false),
            ("", false, false),
            ("a b", false, false),
            ("a\nb", false, false),
            ("é", false, false),
        ] {
            assert_eq!(KeyId::new(text).is_ok(), name, "{text:?} as a name");
            assert_eq!(check_scope(text).is_ok(), scope, "{text:?} as a scope");
        }
        assert!(KeyId::new("x".repeat(MAX_NAME_BYTES)).is_ok());
        assert!(KeyId::new("x".repeat(MAX_NAME_BYTES + 1)).is_err());
    }
}
