//! A key to create.

use std::collections::BTreeMap;

use tower_api_key::clock::Timestamp;
use tower_api_key::key::{Account, KeyRecord, KeyRecordBuilder};
use tower_api_key::quota::{Quota, Quotas};

use super::error::ManagementError;

/// A key to create. `account` is the only field that an operator must name.
///
/// Owners leave `account`, `owner`, `kind`, `environment` and `audience` out, or name those of their own key, which the
/// new key gets.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct KeyDraft {
    /// The account of the key. It must exist.
    pub account: Option<String>,
    /// The user or service that the key is issued to.
    pub owner: Option<String>,
    /// The kind of the key.
    pub kind: Option<String>,
    /// The environment of the key.
    pub environment: Option<String>,
    /// What the key is for, where several gates share a store.
    pub audience: Option<String>,
    /// The name for people.
    pub name: String,
    /// The description for people.
    pub description: String,
    /// The key's own scopes. With `None` the key has the scopes of its account.
    pub scopes: Option<Vec<String>>,
    /// The networks that may send the key. With none, any network may.
    pub networks: Vec<String>,
    /// The key's own quotas. With `None` those of its account apply.
    pub quotas: Option<Vec<Quota>>,
    /// Values that the deployment defines.
    pub metadata: BTreeMap<String, String>,
    /// The first instant at which the key is valid.
    pub not_before: Option<Timestamp>,
    /// The first instant at which the key is no longer valid.
    pub expires: Option<Timestamp>,
}

/// Sets the fields of a record one after another, and names the first one that is not valid.
pub(super) struct CheckedFields {
    builder: KeyRecordBuilder,
}

impl CheckedFields {
    pub(super) const fn new(builder: KeyRecordBuilder) -> Self {
        Self { builder }
    }

    /// Sets a field, and checks it.
    pub(super) fn set(
        self,
        field: &'static str,
        set: impl FnOnce(KeyRecordBuilder) -> KeyRecordBuilder,
    ) -> Result<Self, ManagementError> {
        let builder = set(self.builder);
        // A builder keeps its first mistake, so the mistake is that of this field.
        match builder.clone().build() {
            Ok(_) => Ok(Self { builder }),
            Err(problem) => Err(ManagementError::invalid(field, problem)),
        }
    }

    /// Sets a field that may be absent.
    pub(super) fn set_some<T>(
        self,
        field: &'static str,
        value: Option<T>,
        set: impl FnOnce(KeyRecordBuilder, T) -> KeyRecordBuilder,
    ) -> Result<Self, ManagementError> {
        match value {
            Some(value) => self.set(field, |builder| set(builder, value)),
            None => Ok(self),
        }
    }

    pub(super) fn finish(self) -> KeyRecordBuilder {
        self.builder
    }
}

impl KeyDraft {
    /// Describes the record under an id and an account.
    pub(super) fn record(
        self,
        id: &str,
        account: Account,
    ) -> Result<KeyRecordBuilder, ManagementError> {
        check_sizes(&self.name, &self.description, &self.metadata)?;
        check_count("scopes", self.scopes.as_ref().map_or(0, Vec::len))?;
        check_count("networks", self.networks.len())?;
        check_quotas(self.quotas.as_deref().unwrap_or_default())?;
        check_instants([("not_before", self.not_before), ("expires", self.expires)])?;
        let mut fields = CheckedFields::new(KeyRecord::builder(id, account))
            .set_some("owner", self.owner, KeyRecordBuilder::owner)?
            .set_some("kind", self.kind, KeyRecordBuilder::kind)?
            .set_some("environment", self.environment, KeyRecordBuilder::environment)?
            .set_some("audience", self.audience, KeyRecordBuilder::audience)?
            .set("name", |key| key.name(self.name))?
            .set("description", |key| key.description(self.description))?
            .set_some("scopes", self.scopes, KeyRecordBuilder::scopes)?
            .set("networks", |key| key.networks(self.networks))?
            .set_some("quotas", self.quotas, KeyRecordBuilder::quotas)?
            .set_some("not_before", self.not_before, KeyRecordBuilder::not_before)?
            .set_some("expires", self.expires, KeyRecordBuilder::expires)?;
        for (name, value) in self.metadata {
            fields = fields.set("metadata", |key| key.metadata(name, value))?;
        }
        Ok(fields.finish())
    }
}

/// The last instant that databases keep: they count nanoseconds in 64 bits with a sign.
const LAST_INSTANT: Timestamp = Timestamp::from_unix_nanoseconds(i64::MAX.unsigned_abs());

/// Checks that stores keep these instants. One of the years after would become the last one, or none.
pub(super) fn check_instants(
    instants: [(&'static str, Option<Timestamp>); 2],
) -> Result<(), ManagementError> {
    let late = instants.into_iter().find(|(_, at)| at.is_some_and(|at| at > LAST_INSTANT));
    let Some((field, _)) = late else { return Ok(()) };
    Err(ManagementError::invalid(field, "it must be before the year 2262: leave it out for none"))
}

/// The most scopes, networks or metadata values of one key.
const MOST_IN_A_LIST: usize = 200;

/// The longest name of a key or a quota, and the longest name or value of metadata, in characters. None has more than the bytes that a
/// store allows.
const LONGEST_NAME: usize = 255;

/// The longest description, in characters.
const LONGEST_TEXT: usize = 2_000;

/// Checks quotas, and names the first one that is not valid by its place: its name may be a secret in the wrong place.
pub(super) fn check_quotas(quotas: &[Quota]) -> Result<(), ManagementError> {
    if let Some(long) = quotas.iter().position(|quota| quota.name().len() > LONGEST_NAME) {
        let place = long + 1;
        let problem =
            format!("quota {place} of the list: its name has at most {LONGEST_NAME} characters");
        return Err(ManagementError::invalid("quotas", problem));
    }
    let check = |count: usize| Quotas::new(quotas.iter().take(count).cloned());
    let Err(problem) = check(quotas.len()) else { return Ok(()) };
    let mut place = 1;
    while check(place).is_ok() && place < quotas.len() {
        place += 1;
    }
    let problem = format!("quota {place} of the list: {}", problem.problem());
    Err(ManagementError::invalid("quotas", problem))
}

/// The most bytes of all metadata of one key: 16 KiB.
const MOST_METADATA: usize = 16 * 1024;

/// Checks the size of all metadata.
pub(super) fn check_metadata<'a>(
    metadata: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<(), ManagementError> {
    if metadata.map(|(name, value)| name.len() + value.len()).sum::<usize>() <= MOST_METADATA {
        return Ok(());
    }
    let problem = format!("all names and values together have at most {MOST_METADATA} bytes");
    Err(ManagementError::invalid("metadata", problem))
}

pub(super) fn check_count(field: &'static str, count: usize) -> Result<(), ManagementError> {
    if count <= MOST_IN_A_LIST {
        return Ok(());
    }
    Err(ManagementError::invalid(field, format!("at most {MOST_IN_A_LIST} are allowed")))
}

pub(super) fn check_sizes(
    name: &str,
    description: &str,
    metadata: &BTreeMap<String, String>,
) -> Result<(), ManagementError> {
    let fits = |field: &'static str, text: &str, most: usize| {
        if text.chars().count() <= most {
            return Ok(());
        }
        Err(ManagementError::invalid(field, format!("at most {most} characters are allowed")))
    };
    fits("name", name, LONGEST_NAME)?;
    fits("description", description, LONGEST_TEXT)?;
    check_count("metadata", metadata.len())?;
    for (name, value) in metadata {
        if name.is_empty() {
            return Err(ManagementError::invalid("metadata", "a name must not be empty"));
        }
        fits("metadata", name, LONGEST_NAME)?;
        fits("metadata", value, LONGEST_NAME)?;
    }
    check_metadata(metadata.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}
