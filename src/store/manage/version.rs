//! The version of a key or an account, for edits that must not overwrite each other.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use super::difference::{account_fields, key_fields, policy_fields};
use super::entry::KeyEntry;
use crate::error::UnknownName;
use crate::key::Account;
use crate::policy::KeyPolicy;

/// The version of a key or an account: a digest of what a change can change. Equal versions mean equal settings.
///
/// The last use of a key and the state of its account are not part of the key's version. A new secret is.
///
/// `Display` writes the version as 32 hexadecimal digits, and `FromStr` reads them.
///
/// ```
/// use tower_api_key::key::Account;
/// use tower_api_key::store::Version;
///
/// let version = |disabled| {
///     let account = Account::builder("acme").disabled(disabled).build()?;
///     Ok::<_, tower_api_key::key::InvalidRecord>(Version::of_account(&account))
/// };
/// assert_eq!(version(false)?, version(false)?);
/// assert_ne!(version(false)?, version(true)?);
/// assert_eq!(version(true)?.to_string().parse(), Ok(version(true)?));
/// # Ok::<(), tower_api_key::key::InvalidRecord>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version(u128);

impl Version {
    /// Returns the version of a key.
    pub fn of_key(entry: &KeyEntry) -> Self {
        let mut fields = key_fields(&entry.record);
        // The newest secret is never hidden, so every reader computes the same version.
        let secret = entry.secrets.first().map(|secret| secret.digest.to_hex());
        fields.push(("secret", secret.unwrap_or_default()));
        Self::of(entry.record.id().as_str(), &fields)
    }

    /// Returns the version of an account.
    pub fn of_account(account: &Account) -> Self {
        Self::of(account.id().as_str(), &account_fields(account))
    }

    /// Returns the version of a policy.
    pub fn of_policy(policy: &KeyPolicy) -> Self {
        Self::of(&policy.subject().to_string(), &policy_fields(policy))
    }

    fn of(id: &str, fields: &[(&'static str, String)]) -> Self {
        let mut hash = Sha256::new();
        let mut part = |text: &str| {
            // With their lengths, no two lists of parts have the same bytes.
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        };
        part(id);
        for (name, text) in fields {
            part(name);
            part(text);
        }
        let digest = hash.finalize();
        Self(digest.iter().take(16).fold(0, |number, byte| number << 8 | u128::from(*byte)))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.0)
    }
}

impl FromStr for Version {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let wrong = UnknownName::new("version", "32 hexadecimal digits in lower case");
        let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 32 || !text.bytes().all(digit) {
            return Err(wrong);
        }
        u128::from_str_radix(text, 16).map(Self).map_err(|_| wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_only_as_it_is_written() {
        let version = Version(0x1f);
        assert_eq!(version.to_string().parse(), Ok(version));
        for wrong in
            ["", "1f", "+000000000000000000000000000001f", "0000000000000000000000000000001F"]
        {
            assert!(wrong.parse::<Version>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn parts_are_not_confused() {
        let of = |fields: &[(&'static str, &str)]| {
            let fields: Vec<_> =
                fields.iter().map(|(name, text)| (*name, (*text).into())).collect();
            Version::of("id", &fields)
        };
        assert_ne!(of(&[("a", "b"), ("c", "")]), of(&[("a", "bc"), ("", "")]));
        assert_ne!(of(&[("a", "")]), of(&[]));
    }
}
