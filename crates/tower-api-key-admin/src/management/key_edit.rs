//! An edit of a key.

use std::collections::BTreeMap;

use tower_api_key::clock::Timestamp;
use tower_api_key::key::{InvalidRecord, KeyRecord, KeyRecordBuilder};
use tower_api_key::quota::Quota;

use super::error::ManagementError;
use super::field::Field;
use super::key_draft::{
    CheckedFields, check_count, check_instants, check_metadata, check_quotas, check_sizes,
};

/// An edit of a key. What is not named keeps its value. A key keeps its id, account, audience, environment and secret.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct KeyEdit {
    /// The user or service that the key is issued to. It cannot be removed.
    pub owner: Field<String>,
    /// The kind of the key. It cannot be removed.
    pub kind: Field<String>,
    /// The name for people.
    pub name: Field<String>,
    /// The description for people.
    pub description: Field<String>,
    /// The key's own scopes. Without them the key has the scopes of its account.
    pub scopes: Field<Vec<String>>,
    /// The networks that may send the key. Without them any network may.
    pub networks: Field<Vec<String>>,
    /// The key's own quotas. Without them those of its account apply.
    pub quotas: Field<Vec<Quota>>,
    /// Values of metadata by name: `None` removes a value.
    pub metadata: BTreeMap<String, Option<String>>,
    /// The first instant at which the key is valid. It cannot be removed, but set to an instant that has passed.
    pub not_before: Field<Timestamp>,
    /// The first instant at which the key is no longer valid.
    pub expires: Field<Timestamp>,
    /// Whether the key is disabled.
    pub disabled: Option<bool>,
}

impl KeyEdit {
    /// Checks the edit on a record, and names the first field that is not valid. Returns the record as it will be.
    pub(super) fn check(&self, record: &KeyRecord) -> Result<KeyRecord, ManagementError> {
        for (field, removed) in [
            ("owner", self.owner == Field::Remove),
            ("kind", self.kind == Field::Remove),
            ("not_before", self.not_before == Field::Remove),
        ] {
            if removed {
                return Err(ManagementError::invalid(field, "it can be changed, but not removed"));
            }
        }
        let set = self.metadata.iter();
        let set = set.filter_map(|(name, value)| Some((name.clone(), value.clone()?))).collect();
        let text = |field: &Field<String>| field.value().cloned().unwrap_or_default();
        check_sizes(&text(&self.name), &text(&self.description), &set)?;
        check_count("scopes", self.scopes.value().map_or(0, Vec::len))?;
        check_count("networks", self.networks.value().map_or(0, Vec::len))?;
        check_quotas(self.quotas.value().map(Vec::as_slice).unwrap_or_default())?;
        let instant = |field: &Field<Timestamp>| field.value().copied();
        check_instants([
            ("not_before", instant(&self.not_before)),
            ("expires", instant(&self.expires)),
        ])?;
        let mut fields = CheckedFields::new(record.edit());
        for (field, set) in self.steps() {
            fields = fields.set(field, set)?;
        }
        let invalid = |problem: InvalidRecord| ManagementError::invalid("request", problem);
        let edited = fields.finish().build().map_err(invalid)?;
        check_count("metadata", edited.all_metadata().count())?;
        if self.metadata.values().any(Option::is_some) {
            check_metadata(edited.all_metadata())?;
        }
        Ok(edited)
    }

    /// Returns the change for the store.
    pub(super) fn change(self) -> impl FnOnce(KeyRecordBuilder) -> KeyRecordBuilder + Send {
        move |builder| {
            let steps = self.steps().into_iter();
            steps.fold(builder, |builder, (_, set)| set(builder))
        }
    }

    /// Lists the changes, each with the name of its field.
    fn steps<'a>(&'a self) -> Vec<(&'static str, Step<'a>)> {
        let mut steps: Vec<(&'static str, Step<'a>)> = Vec::new();
        let mut step = |name, set: Step<'a>| steps.push((name, set));
        if let Field::Set(owner) = &self.owner {
            step("owner", Box::new(move |key| key.owner(owner)));
        }
        if let Field::Set(kind) = &self.kind {
            step("kind", Box::new(move |key| key.kind(kind)));
        }
        match &self.name {
            Field::Keep => {}
            Field::Remove => step("name", Box::new(|key| key.name(""))),
            Field::Set(name) => step("name", Box::new(move |key| key.name(name))),
        }
        match &self.description {
            Field::Keep => {}
            Field::Remove => step("description", Box::new(|key| key.description(""))),
            Field::Set(text) => step("description", Box::new(move |key| key.description(text))),
        }
        match &self.scopes {
            Field::Keep => {}
            Field::Remove => step("scopes", Box::new(KeyRecordBuilder::inherit_scopes)),
            Field::Set(scopes) => step("scopes", Box::new(move |key| key.scopes(scopes))),
        }
        match &self.networks {
            Field::Keep => {}
            Field::Remove => step("networks", Box::new(KeyRecordBuilder::any_network)),
            Field::Set(networks) => step("networks", Box::new(move |key| key.networks(networks))),
        }
        match &self.quotas {
            Field::Keep => {}
            Field::Remove => step("quotas", Box::new(KeyRecordBuilder::inherit_quotas)),
            Field::Set(quotas) => {
                step("quotas", Box::new(move |key| key.quotas(quotas.iter().cloned())));
            }
        }
        for (name, value) in &self.metadata {
            match value {
                Some(value) => step("metadata", Box::new(move |key| key.metadata(name, value))),
                None => step("metadata", Box::new(move |key| key.without_metadata(name))),
            }
        }
        if let Field::Set(instant) = &self.not_before {
            step("not_before", Box::new(move |key| key.not_before(*instant)));
        }
        match &self.expires {
            Field::Keep => {}
            Field::Remove => step("expires", Box::new(KeyRecordBuilder::never_expires)),
            Field::Set(instant) => step("expires", Box::new(move |key| key.expires(*instant))),
        }
        if let Some(disabled) = self.disabled {
            step("disabled", Box::new(move |key| key.disabled(disabled)));
        }
        steps
    }
}

/// A change of one field.
type Step<'a> = Box<dyn FnOnce(KeyRecordBuilder) -> KeyRecordBuilder + Send + 'a>;
