//! What a record holds for the key's owner and for administration. No decision reads these values.

use super::record::KeyRecord;
use super::scope::ScopeSet;
use crate::quota::Quotas;

impl KeyRecord {
    /// Returns the user or service in the account that the key was issued to; `None` if the record
    /// names none.
    pub fn owner(&self) -> Option<&str> {
        self.details.as_ref()?.owner.as_deref()
    }

    /// Returns the key's own scopes; `None` if the key inherits its account's.
    pub fn own_scopes(&self) -> Option<&ScopeSet> {
        self.details.as_ref()?.scopes.as_ref()
    }

    /// Returns the key's own quotas; `None` if the key inherits its account's.
    pub fn own_quotas(&self) -> Option<&Quotas> {
        self.details.as_ref()?.quotas.as_ref()
    }

    /// Returns true if the key itself is disabled, whether or not its account is.
    pub const fn is_disabled_itself(&self) -> bool {
        self.disabled
    }

    /// Returns the name that the owner gave the key; empty if the key has no name.
    pub fn name(&self) -> &str {
        self.details.as_ref().map_or("", |details| &details.name)
    }

    /// Returns the key's description; empty if the key has no description.
    pub fn description(&self) -> &str {
        self.details.as_ref().map_or("", |details| &details.description)
    }

    /// Returns a metadata value, which the deployment defines; `None` if the record has none of this
    /// name.
    pub fn metadata(&self, name: &str) -> Option<&str> {
        let details = self.details.as_ref()?;
        details.metadata.get(name).map(String::as_str)
    }

    /// Lists all metadata as names and values, in the order of the names.
    pub fn all_metadata(&self) -> impl Iterator<Item = (&str, &str)> {
        let details = self.details.iter();
        details.flat_map(|details| &details.metadata).map(|(name, value)| (&**name, &**value))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::account::Account;
    use super::*;
    use crate::clock::Timestamp;
    use crate::quota::Quota;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_record_says_what_it_was_built_with() {
        let (begins, ends) = (Timestamp::from_unix_seconds(5), Timestamp::from_unix_seconds(9));
        let record = KeyRecord::builder("key_1", Account::builder("acme").build().unwrap())
            .environment("live")
            .kind("partner")
            .scopes(["read"])
            .networks(["10.0.0.0/8"])
            .quotas([Quota::new("minute", 1, MINUTE)])
            .not_before(begins)
            .expires(ends)
            .disabled(true)
            .owner("ada")
            .name("ours")
            .description("for tests")
            .metadata("tier", "one")
            .build()
            .unwrap();
        assert_eq!((record.id().as_str(), record.account().id().as_str()), ("key_1", "acme"));
        assert_eq!(record.environment().unwrap().as_str(), "live");
        assert_eq!(record.kind().unwrap().as_str(), "partner");
        assert!(record.own_scopes().unwrap().iter().eq(["read"]));
        assert_eq!(record.scopes(), record.own_scopes().unwrap());
        assert!(record.networks().unwrap().contains("10.1.2.3".parse().unwrap()));
        assert_eq!(record.own_quotas().unwrap().as_slice()[0].limit(), 1);
        assert_eq!(record.quotas(), record.own_quotas());
        assert_eq!((record.not_before(), record.expires()), (Some(begins), Some(ends)));
        assert!(record.is_disabled_itself() && record.is_disabled() && !record.is_revoked());
        assert_eq!((record.owner(), record.name()), (Some("ada"), "ours"));
        assert_eq!((record.description(), record.metadata("tier")), ("for tests", Some("one")));
        assert!(record.metadata("other").is_none() && record.all_metadata().eq([("tier", "one")]));
    }
}
