//! The values of the form of a key: as a page shows them, and as they were sent.

use std::time::Duration;

use tower_api_key::clock::Timestamp;
use tower_api_key::store::{KeyEntry, Version};

use super::conflict::Conflict;
use super::fields::Fields;
use super::permissions::Permissions;
use super::text;
use crate::management::{Field, KeyDraft, KeyEdit, ManagementError};

/// What the form calls the permissions of the account.
const OF_ACCOUNT: &str = "Those of the account";

/// The values of the form.
#[derive(Default)]
pub(super) struct KeyValues {
    pub(super) id: String,
    pub(super) version: String,
    /// The name of the request that creates a key, so that it is made once.
    pub(super) once: String,
    pub(super) account: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) owner: String,
    pub(super) kind: String,
    pub(super) environment: String,
    pub(super) permissions: Permissions,
    pub(super) networks: String,
    pub(super) expires: String,
    pub(super) disabled: bool,
    pub(super) reason: String,
}

impl KeyValues {
    /// Returns the values of a stored key.
    pub(super) fn of(entry: &KeyEntry, catalogue: &[(String, String)]) -> Self {
        let record = &entry.record;
        Self {
            id: record.id().to_string(),
            version: Version::of_key(entry).to_string(),
            account: record.account().id().to_string(),
            name: record.name().to_owned(),
            description: record.description().to_owned(),
            owner: record.owner().unwrap_or_default().to_owned(),
            permissions: Permissions::of(record.own_scopes(), catalogue),
            networks: record
                .networks()
                .map(|networks| text::joined(networks.iter()))
                .unwrap_or_default(),
            expires: text::date(record.expires()),
            disabled: record.is_disabled_itself(),
            ..Self::default()
        }
    }

    /// Returns the values that were sent.
    pub(super) fn sent(fields: &Fields, catalogue: &[(String, String)]) -> Self {
        let owned = |name| fields.text(name).to_owned();
        Self {
            id: owned("id"),
            version: owned("version"),
            once: owned("once"),
            account: owned("account"),
            name: owned("name"),
            description: owned("description"),
            owner: owned("owner"),
            kind: owned("kind"),
            environment: owned("environment"),
            permissions: Permissions::sent(fields, catalogue),
            networks: text::joined(fields.words("networks")),
            expires: owned("expires"),
            disabled: fields.has("disabled", "true"),
            reason: owned("reason"),
        }
    }

    /// Returns an empty form with checkboxes for the catalogue.
    pub(super) fn empty(account: &str, once: String, catalogue: &[(String, String)]) -> Self {
        let permissions = Permissions::of(None, catalogue);
        Self { account: account.to_owned(), once, permissions, ..Self::default() }
    }

    /// Returns the key to create.
    pub(super) fn draft(&self) -> Result<KeyDraft, ManagementError> {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Ok(KeyDraft {
            account: some(&self.account),
            owner: some(&self.owner),
            kind: some(&self.kind),
            environment: some(&self.environment),
            name: self.name.clone(),
            description: self.description.clone(),
            scopes: self.permissions.chosen(OF_ACCOUNT)?,
            networks: self.networks.split_whitespace().map(str::to_owned).collect(),
            expires: self.expiry()?,
            ..KeyDraft::default()
        })
    }

    /// Returns the edit of a stored key that was shown with its own values.
    pub(super) fn edit(&self, stored: &Self) -> Result<KeyEdit, ManagementError> {
        let text = |own: &str, stored: &str| match own {
            _ if own == stored => Field::Keep,
            "" => Field::Remove,
            own => Field::Set(own.to_owned()),
        };
        let networks = || self.networks.split_whitespace().map(str::to_owned).collect();
        Ok(KeyEdit {
            owner: text(&self.owner, &stored.owner),
            name: text(&self.name, &stored.name),
            description: text(&self.description, &stored.description),
            scopes: match self.permissions.chosen(OF_ACCOUNT)? {
                scopes if scopes == stored.permissions.scopes() => Field::Keep,
                scopes => scopes.into(),
            },
            networks: match text(&self.networks, &stored.networks) {
                Field::Set(_) => Field::Set(networks()),
                Field::Keep => Field::Keep,
                Field::Remove => Field::Remove,
            },
            // The form has the date only, so an unchanged date keeps the time of the day.
            expires: if self.expires == stored.expires {
                Field::Keep
            } else {
                self.expiry()?.into()
            },
            disabled: (self.disabled != stored.disabled).then_some(self.disabled),
            ..KeyEdit::default()
        })
    }

    /// Lists the fields in which these values differ from the stored ones.
    pub(super) fn conflicts(&self, stored: &Self) -> Vec<Conflict> {
        let scopes = |values: &Self| values.permissions.text("those of the account");
        let disabled = |values: &Self| Conflict::checked(values.disabled);
        Conflict::between([
            ("name", stored.name.clone(), self.name.clone()),
            ("description", stored.description.clone(), self.description.clone()),
            ("owner", stored.owner.clone(), self.owner.clone()),
            ("scopes", scopes(stored), scopes(self)),
            ("networks", stored.networks.clone(), self.networks.clone()),
            ("expires", stored.expires.clone(), self.expires.clone()),
            ("disabled", disabled(stored), disabled(self)),
        ])
    }

    fn expiry(&self) -> Result<Option<Timestamp>, ManagementError> {
        if self.expires.is_empty() {
            return Ok(None);
        }
        let at = text::first_instant(&self.expires);
        let wrong = || ManagementError::invalid("expires", "write a date such as 2027-01-31");
        at.map(Some).ok_or_else(wrong)
    }
}

/// How long an old secret stays valid after a rotation.
pub(super) struct Overlap;

impl Overlap {
    /// The choices, in hours.
    const CHOICES: [(u64, &'static str); 5] =
        [(0, "no time"), (1, "1 hour"), (24, "1 day"), (24 * 7, "7 days"), (24 * 30, "30 days")];

    pub(super) const fn choices() -> [(u64, &'static str); 5] {
        Self::CHOICES
    }

    pub(super) fn read(fields: &Fields) -> Result<Duration, ManagementError> {
        let hours = fields.text("overlap").parse::<u64>().ok();
        let known = hours.filter(|hours| Self::CHOICES.iter().any(|(choice, _)| choice == hours));
        let hours =
            known.ok_or_else(|| ManagementError::invalid("overlap", "choose one of the list"))?;
        Ok(Duration::from_secs(hours * 3_600))
    }
}
