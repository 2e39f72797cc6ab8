//! Which keys a policy covers.

use std::fmt;
use std::str::FromStr;

use crate::error::UnknownName;
use crate::key::{AccountId, KeyKind, KeyRecord};

/// Which keys a policy covers. A store has at most one policy for each subject.
///
/// `Display` and `FromStr` use the texts `all`, `account:ID` and `kind:NAME`.
///
/// ```
/// use tower_api_key::policy::PolicySubject;
///
/// let subject: PolicySubject = "account:acme".parse()?;
/// assert!(matches!(&subject, PolicySubject::Account(id) if *id == "acme"));
/// assert_eq!(subject.to_string(), "account:acme");
/// # Ok::<(), tower_api_key::UnknownName>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicySubject {
    /// All keys.
    All,
    /// The keys of one account.
    Account(AccountId),
    /// The keys of one kind, in all accounts.
    Kind(KeyKind),
    /// Keys that this version cannot tell, because a newer one has saved the policy. The text is the store's. `FromStr`
    /// reads no such subject: see [`stored`](Self::stored).
    Unknown(String),
}

impl PolicySubject {
    /// Reads the subject of a stored policy. A text that this version does not know is [`Unknown`](Self::Unknown), so that
    /// such a policy can be listed and deleted.
    ///
    /// ```
    /// use tower_api_key::policy::PolicySubject;
    ///
    /// assert_eq!(PolicySubject::stored("all"), PolicySubject::All);
    /// assert_eq!(PolicySubject::stored("plan:gold"), PolicySubject::Unknown("plan:gold".to_owned()));
    /// ```
    pub fn stored(text: &str) -> Self {
        text.parse().unwrap_or_else(|_| Self::Unknown(text.to_owned()))
    }

    /// Returns true if a policy for this subject covers a key. An unknown subject may cover any key.
    pub fn covers(&self, record: &KeyRecord) -> bool {
        match self {
            Self::All | Self::Unknown(_) => true,
            Self::Account(id) => record.account().id() == id,
            Self::Kind(kind) => record.kind() == Some(kind),
        }
    }

    /// Returns the account that the audit trail names for a change of the policy: an empty text unless the policy is for
    /// one account.
    pub fn account(&self) -> &str {
        if let Self::Account(id) = self { id.as_str() } else { "" }
    }

    /// Lists the subjects whose policies cover a key: two or three.
    pub fn all_of(record: &KeyRecord) -> impl Iterator<Item = Self> {
        let account = Self::Account(record.account().id().clone());
        [Self::All, account].into_iter().chain(record.kind().cloned().map(Self::Kind))
    }
}

impl fmt::Display for PolicySubject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => formatter.write_str("all"),
            Self::Account(id) => write!(formatter, "account:{id}"),
            Self::Kind(kind) => write!(formatter, "kind:{kind}"),
            Self::Unknown(text) => formatter.write_str(text),
        }
    }
}

impl FromStr for PolicySubject {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let wrong = UnknownName::new("subject of a policy", "`all`, `account:ID` or `kind:NAME`");
        match text.split_once(':') {
            None if text == "all" => Ok(Self::All),
            Some(("account", id)) => AccountId::new(id).map(Self::Account).map_err(|_| wrong),
            Some(("kind", name)) => KeyKind::new(name).map(Self::Kind).map_err(|_| wrong),
            _ => Err(wrong),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_read_only_as_it_is_written() {
        for text in ["all", "account:acme", "account:a:b", "kind:personal"] {
            assert_eq!(text.parse::<PolicySubject>().map(|read| read.to_string()), Ok(text.into()));
        }
        for wrong in ["", "All", "all:", "account", "account:", "kind:", "kind:two words", "plan:x"]
        {
            assert!(wrong.parse::<PolicySubject>().is_err(), "{wrong}");
            assert_eq!(PolicySubject::stored(wrong), PolicySubject::Unknown(wrong.to_owned()));
        }
    }
}
