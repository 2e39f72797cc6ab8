//! Builds and edits key records. `build` reports the first value that is not valid.

use std::sync::Arc;

use smol_str::SmolStr;

use super::account::Account;
use super::details::Details;
use super::draft::Draft;
use super::form::KeyForm;
use super::invalid::InvalidRecord;
use super::name::{Audience, Environment, KeyId, KeyKind, check_name};
use super::network::Networks;
use super::record::KeyRecord;
use super::scope::ScopeSet;
use super::text::{InvalidText, check_long_text, check_text};
use crate::clock::Timestamp;
use crate::quota::{Quota, Quotas};

/// Builds a [`KeyRecord`]. A setter never fails; [`build`](Self::build) reports the first mistake.
///
/// ```
/// use tower_api_key::clock::Timestamp;
/// use tower_api_key::key::{Account, KeyRecord};
///
/// let acme = Account::builder("acme").build()?;
/// let ends = Timestamp::from_unix_seconds(1_800_000_000);
/// let record = KeyRecord::builder("key_1", acme).environment("sandbox").expires(ends).build()?;
/// let revoked = record.edit().revoked(true).build()?;
/// assert!(revoked.is_revoked() && revoked.expires() == Some(ends));
/// # Ok::<(), tower_api_key::key::InvalidRecord>(())
/// ```
#[derive(Debug, Clone)]
pub struct KeyRecordBuilder {
    record: Draft<KeyRecord>,
    /// True if texts are not checked.
    stored: bool,
}

impl KeyRecord {
    /// Starts a record that inherits its account's scopes and quotas, may come from any network and
    /// never expires. Pass the account, or an `Arc` that the keys of one account share.
    pub fn builder(id: impl AsRef<str>, account: impl Into<Arc<Account>>) -> KeyRecordBuilder {
        let id = KeyId::new(id).map_err(InvalidRecord::Name);
        KeyRecordBuilder {
            record: Draft::new(id.map(|id| Self::new(id, account.into()))),
            stored: false,
        }
    }

    /// Starts a builder with the values of this record, to change some of them.
    pub fn edit(&self) -> KeyRecordBuilder {
        KeyRecordBuilder { record: Draft::new(Ok(self.clone())), stored: false }
    }
}

impl KeyRecordBuilder {
    /// Sets the environment that the key belongs to.
    pub fn environment(self, environment: impl AsRef<str>) -> Self {
        let environment = Environment::new(environment);
        self.with(environment, |record, name| record.details().environment = Some(name))
    }

    /// Sets the form of the key's text, so that a rotation issues another key of the same form. If the
    /// text names an environment, the record gets it, or must have the same one.
    ///
    /// ```
    /// use tower_api_key::key::{Account, InvalidRecord, KeyForm, KeyRecord};
    /// use tower_api_key::vendors;
    ///
    /// let form = KeyForm::of(&vendors::persona::ISSUED, Some("sandbox")).unwrap();
    /// let acme = Account::builder("acme").build()?;
    /// let key = KeyRecord::builder("key_1", acme).form(form);
    /// assert_eq!(*key.clone().build()?.environment().unwrap(), "sandbox");
    /// let refused = key.environment("production").build();
    /// assert!(matches!(refused, Err(InvalidRecord::Environment { .. })));
    /// # Ok::<(), InvalidRecord>(())
    /// ```
    pub fn form(self, form: KeyForm) -> Self {
        self.set(|record| record.details().form = Some(form))
    }

    /// Sets what the key is for. Only a gate of the same
    /// [audience](crate::ApiKeyLayerBuilder::audience) accepts the key.
    pub fn audience(self, audience: impl AsRef<str>) -> Self {
        let audience = Audience::new(audience);
        self.with(audience, |record, name| record.details().audience = Some(name))
    }

    /// Removes the audience, which is the default. Only gates without an audience accept the key.
    pub fn without_audience(self) -> Self {
        self.unset(|details| details.audience = None)
    }

    /// Sets the kind of the key.
    pub fn kind(self, kind: impl AsRef<str>) -> Self {
        let kind = KeyKind::new(kind);
        self.with(kind, |record, name| record.details().kind = Some(name))
    }

    /// Sets the key's own scopes, which replace its account's.
    pub fn scopes<S: AsRef<str>>(self, scopes: impl IntoIterator<Item = S>) -> Self {
        let scopes = ScopeSet::new(scopes);
        self.with(scopes, |record, scopes| record.details().scopes = Some(scopes))
    }

    /// Makes the key inherit its account's scopes, which is the default.
    pub fn inherit_scopes(self) -> Self {
        self.unset(|details| details.scopes = None)
    }

    /// Sets the networks that may send the key, in CIDR notation. An empty list means any network.
    pub fn networks<S: AsRef<str>>(self, networks: impl IntoIterator<Item = S>) -> Self {
        let networks = Networks::new(networks);
        self.with(networks, |record, networks| record.details().networks = networks)
    }

    /// Allows any network to send the key, which is the default.
    pub fn any_network(self) -> Self {
        self.unset(|details| details.networks = Networks::default())
    }

    /// Sets the key's own quotas, which replace those of its account, its plan and the profile.
    pub fn quotas(self, quotas: impl IntoIterator<Item = Quota>) -> Self {
        let quotas = Quotas::new(quotas);
        self.with(quotas, |record, quotas| record.details().quotas = Some(quotas))
    }

    /// Sets the first instant at which the key is valid.
    pub fn not_before(self, instant: impl Into<Timestamp>) -> Self {
        self.set(|record| record.details().not_before = Some(instant.into()))
    }

    /// Sets the first instant at which the key is no longer valid.
    pub fn expires(self, instant: impl Into<Timestamp>) -> Self {
        self.set(|record| record.expires = instant.into())
    }

    /// Marks the key as revoked, or as not revoked.
    pub fn revoked(self, revoked: bool) -> Self {
        self.set(|record| record.revoked = revoked)
    }

    /// Disables the key, or enables it again.
    pub fn disabled(self, disabled: bool) -> Self {
        self.set(|record| record.disabled = disabled)
    }

    /// Names the user or service in the account that the key is issued to, in 1 to 255 visible ASCII
    /// characters.
    pub fn owner(self, owner: impl AsRef<str>) -> Self {
        let owner = check_name("owner", owner.as_ref()).map(|()| SmolStr::new(owner));
        self.with(owner, |record, owner| record.details().owner = Some(owner))
    }

    /// Makes the key inherit its account's quotas, which is the default.
    pub fn inherit_quotas(self) -> Self {
        self.unset(|details| details.quotas = None)
    }

    /// Removes the expiry, which is the default.
    pub fn never_expires(self) -> Self {
        self.expires(Timestamp::MAX)
    }

    /// Removes a metadata value.
    pub fn without_metadata(self, name: &str) -> Self {
        self.unset(|details| drop(details.metadata.remove(name)))
    }

    /// Sets the name that the owner knows the key by: a [checked text](super::InvalidText) of at most 1,024 bytes.
    pub fn name(self, name: impl Into<String>) -> Self {
        self.text(check_text, "name", name.into(), |record, name| record.details().name = name)
    }

    /// Sets the description for the key's owner: a [checked text](super::InvalidText) of at most 8,192 bytes.
    pub fn description(self, description: impl Into<String>) -> Self {
        self.text(check_long_text, "description", description.into(), |record, description| {
            record.details().description = description;
        })
    }

    /// Adds a metadata value. Name and value are [checked texts](super::InvalidText) of at most 1,024 bytes each.
    pub fn metadata(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, value) = (name.into(), value.into());
        let checked = if self.stored { Ok(()) } else { check_text("name of metadata", &name) };
        self.with(checked, |_, ()| {}).text(check_text, "metadata", value, |record, value| {
            record.details().metadata.insert(name, value);
        })
    }

    /// Accepts all later names, descriptions and metadata unchecked. For your own store, which may hold
    /// texts from before control characters or long texts were refused.
    ///
    /// ```
    /// use tower_api_key::key::{Account, KeyRecord};
    ///
    /// let acme = Account::builder("acme").build()?;
    /// let record = KeyRecord::builder("key_1", acme).as_stored().name("two\nlines").build()?;
    /// assert_eq!(record.name(), "two\nlines");
    /// assert!(record.edit().name("three\nnew\nlines").build().is_err());
    /// # Ok::<(), tower_api_key::key::InvalidRecord>(())
    /// ```
    pub fn as_stored(self) -> Self {
        Self { stored: true, ..self }
    }

    /// Builds the record.
    ///
    /// # Errors
    ///
    /// [`InvalidRecord`] for the first name, text, network or quota that is not valid.
    /// [`InvalidRecord::Environment`] if the [form](Self::form) names another environment than the
    /// record.
    pub fn build(self) -> Result<KeyRecord, InvalidRecord> {
        let mut record = self.record.finish()?;
        if let Some(text) = record.form().and_then(KeyForm::environment).cloned() {
            match record.environment() {
                None => record.details().environment = Some(text),
                Some(own) if *own != text => {
                    return Err(InvalidRecord::Environment { text, record: own.clone() });
                }
                Some(_) => {}
            }
        }
        Ok(record.settled())
    }

    fn set(mut self, set: impl FnOnce(&mut KeyRecord)) -> Self {
        self.record.set(set);
        self
    }

    /// Removes a detail. A record without details stays as it is.
    fn unset(self, unset: impl FnOnce(&mut Details)) -> Self {
        self.set(|record| {
            if record.details.is_some() {
                unset(record.details());
            }
        })
    }

    /// Sets a text that people read, after its check.
    fn text(
        self,
        check: fn(&'static str, &str) -> Result<(), InvalidText>,
        what: &'static str,
        text: String,
        set: impl FnOnce(&mut KeyRecord, String),
    ) -> Self {
        let checked = if self.stored { Ok(()) } else { check(what, &text) };
        self.with(checked, |record, ()| set(record, text))
    }

    fn with<T, E: Into<InvalidRecord>>(
        mut self,
        part: Result<T, E>,
        set: impl FnOnce(&mut KeyRecord, T),
    ) -> Self {
        self.record.with(part, set);
        self
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn account() -> Arc<Account> {
        let quotas = [Quota::new("minute", 9, MINUTE)];
        let account = Account::builder("acme").scopes(["all"]).quotas(quotas).plan("gold");
        Arc::new(account.build().unwrap())
    }

    #[test]
    fn a_record_that_says_nothing_has_what_its_account_has() {
        let bare = KeyRecord::builder("key_1", account()).build().unwrap();
        let own = bare.edit().scopes(["read"]).quotas([Quota::new("minute", 1, MINUTE)]);
        let own = own.metadata("tier", "one").networks(["::1"]).disabled(true);
        let own = own.expires(Timestamp::from_unix_seconds(9)).build().unwrap();
        let edited = own.edit().inherit_scopes().inherit_quotas().without_metadata("tier");
        let edited = edited.any_network().never_expires().disabled(false).build().unwrap();
        for record in [bare, edited] {
            assert!(record.scopes().iter().eq(["all"]) && record.own_scopes().is_none());
            assert_eq!(record.quotas().unwrap().as_slice()[0].limit(), 9);
            // Quotas of its own are counted before those of a plan.
            assert!(record.own_quotas().is_none() && record.plan().is_none());
            assert!(record.environment().is_none() && record.kind().is_none());
            assert!(record.networks().is_none() && record.owner().is_none());
            assert!(record.not_before().is_none() && record.expires().is_none());
            assert!(!record.is_disabled_itself() && !record.is_disabled() && !record.is_revoked());
            assert_eq!((record.name(), record.description()), ("", ""));
            assert!(record.metadata("tier").is_none() && record.all_metadata().next().is_none());
        }
    }
}
