//! Keys in answers.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};
use tower_api_key::clock::Timestamp;
use tower_api_key::key::KeyRecord;
use tower_api_key::store::{KeyEntry, KeyState, Version};

use super::quota_body::QuotaBody;
use super::schema;

/// A key, as answers have it.
#[derive(Serialize)]
pub(super) struct KeyView {
    id: String,
    account: String,
    state: &'static str,
    owner: Option<String>,
    kind: Option<String>,
    environment: Option<String>,
    audience: Option<String>,
    name: String,
    description: String,
    scopes: Option<Vec<String>>,
    effective_scopes: Vec<String>,
    networks: Vec<String>,
    quotas: Option<Vec<QuotaBody>>,
    metadata: BTreeMap<String, String>,
    not_before: Option<String>,
    expires: Option<String>,
    disabled: bool,
    created: String,
    last_used: Option<String>,
    secrets: Vec<SecretView>,
    version: String,
}

/// A secret of a key: when it was made and used, its last characters if the store keeps them, and never the secret itself.
#[derive(Serialize)]
struct SecretView {
    created: String,
    expires: Option<String>,
    last_used: Option<String>,
    tail: Option<String>,
}

impl KeyView {
    pub(super) fn of(entry: &KeyEntry, now: Timestamp) -> Self {
        let record: &KeyRecord = &entry.record;
        let text = |at: Option<Timestamp>| at.map(|at| at.to_string());
        let names =
            |scopes: &tower_api_key::key::ScopeSet| scopes.iter().map(str::to_owned).collect();
        let secrets = entry.secrets.iter().map(|secret| SecretView {
            created: secret.created.to_string(),
            expires: text(secret.expires),
            last_used: text(secret.last_used),
            tail: secret.tail.map(|tail| tail.to_string()),
        });
        let networks = record.networks().map(|networks| networks.iter().map(ToString::to_string));
        let metadata = record.all_metadata();
        Self {
            id: record.id().to_string(),
            account: record.account().id().to_string(),
            state: KeyState::of(record, now).name(),
            owner: record.owner().map(str::to_owned),
            kind: record.kind().map(ToString::to_string),
            environment: record.environment().map(ToString::to_string),
            audience: record.audience().map(ToString::to_string),
            name: record.name().to_owned(),
            description: record.description().to_owned(),
            scopes: record.own_scopes().map(names),
            effective_scopes: names(record.scopes()),
            networks: networks.into_iter().flatten().collect(),
            quotas: record.own_quotas().map(|quotas| QuotaBody::all_of(quotas.as_slice())),
            metadata: metadata.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            not_before: text(record.not_before()),
            expires: text(record.expires()),
            disabled: record.is_disabled_itself(),
            created: entry.created.to_string(),
            last_used: text(entry.last_used()),
            secrets: secrets.collect(),
            version: Version::of_key(entry).to_string(),
        }
    }

    pub(super) fn schema() -> Value {
        let string = json!({ "type": "string" });
        let some = json!({ "type": ["string", "null"] });
        let strings = json!({ "type": "array", "items": string });
        let secret = json!({ "created": string, "expires": some, "last_used": some, "tail": some });
        schema::whole_view(json!({
            "id": string,
            "account": string,
            "state": { "type": "string", "enum": KeyState::ALL.map(KeyState::name) },
            "owner": some,
            "kind": some,
            "environment": some,
            "audience": some,
            "name": string,
            "description": string,
            "scopes": {
                "type": ["array", "null"], "items": string,
                "description": "The key's own scopes; null if it has those of its account.",
            },
            "effective_scopes": strings,
            "networks": strings,
            "quotas": { "type": ["array", "null"], "items": schema::reference("QuotaView") },
            "metadata": { "type": "object", "additionalProperties": string },
            "not_before": some,
            "expires": some,
            "disabled": { "type": "boolean" },
            "created": string,
            "last_used": some,
            "secrets": {
                "type": "array", "items": schema::whole_view(secret),
                "description": "The newest first. The secrets themselves are in no answer. The tail is the last 4 characters; null if the store does not keep them.",
            },
            "version": { "type": "string", "description": "The ETag, without quotes." },
        }))
    }

    /// Returns the schema of a key with its new secret.
    pub(super) fn issued_schema() -> Value {
        schema::whole_view(json!({
            "key": schema::reference("Key"),
            "secret": {
                "type": ["string", "null"],
                "description": "Shown once. Null in a replay: rotate the key if the secret is lost.",
            },
        }))
    }
}
