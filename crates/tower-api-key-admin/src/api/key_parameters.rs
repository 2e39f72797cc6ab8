//! The query of a list of keys.

use serde::Deserialize;
use serde_json::{Value, json};
use tower_api_key::key::SecretTail;
use tower_api_key::store::{KeyFilter, KeyOrder, KeyState};

use super::moment::Moment;
use super::problem::Problem;
use super::schema;
use crate::management::KeyQuery;

/// The query of a list of keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyParameters {
    account: Option<String>,
    owner: Option<String>,
    kind: Option<String>,
    environment: Option<String>,
    state: Option<StateName>,
    tag: Option<String>,
    name_prefix: Option<String>,
    expires_before: Option<Moment>,
    tail: Option<String>,
    order: Option<OrderName>,
    after: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum OrderName {
    Id,
    Name,
    Expiry,
}

impl From<OrderName> for KeyOrder {
    fn from(name: OrderName) -> Self {
        match name {
            OrderName::Id => Self::Id,
            OrderName::Name => Self::Name,
            OrderName::Expiry => Self::Expiry,
        }
    }
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum StateName {
    Active,
    Disabled,
    Revoked,
    Expired,
}

impl From<StateName> for KeyState {
    fn from(name: StateName) -> Self {
        match name {
            StateName::Active => Self::Active,
            StateName::Disabled => Self::Disabled,
            StateName::Revoked => Self::Revoked,
            StateName::Expired => Self::Expired,
        }
    }
}

impl KeyParameters {
    pub(super) fn query(self) -> Result<KeyQuery, Problem> {
        let tag = self.tag.as_deref().map(|tag| {
            let pair = tag.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
            pair.ok_or_else(|| Problem::bad_request("tag: must be a name and a value, NAME=VALUE"))
        });
        let tail = self.tail.map(SecretTail::new).transpose();
        let tail = tail.map_err(|_| Problem::bad_request("tail: must be 4 visible characters"))?;
        let filter = KeyFilter {
            account: self.account,
            owner: self.owner,
            kind: self.kind,
            environment: self.environment,
            state: self.state.map(KeyState::from),
            tag: tag.transpose()?,
            name_prefix: self.name_prefix,
            expires_before: self.expires_before.map(|Moment(at)| at),
            tail,
            order: self.order.map(KeyOrder::from).unwrap_or_default(),
        };
        Ok(KeyQuery { filter, after: self.after, limit: self.limit })
    }

    pub(super) fn describe() -> Vec<Value> {
        let tag = json!({ "type": "string", "pattern": "^[^=]+=", "example": "team=red" });
        vec![
            parameter("account", "Keys of this account.", text()),
            parameter("owner", "Keys of this owner.", text()),
            parameter("kind", "Keys of this kind.", text()),
            parameter("environment", "Keys of this environment.", text()),
            parameter(
                "state",
                "Keys that are in this state now.",
                json!({ "type": "string", "enum": KeyState::ALL.map(KeyState::name) }),
            ),
            parameter("tag", "Keys with this value of metadata, as NAME=VALUE.", tag),
            parameter(
                "name_prefix",
                "Keys whose name begins with this.",
                json!({ "type": "string" }),
            ),
            parameter("expires_before", "Keys that expire before this instant.", schema::instant()),
            parameter(
                "tail",
                "Keys of which a secret ends with these characters, if the store keeps them.",
                json!({ "type": "string", "pattern": "^[!-~]{4}$", "example": "x7Qa" }),
            ),
            parameter(
                "order",
                "By id, by name, or by expiry without the keys that never expire.",
                json!({ "type": "string", "enum": ["id", "name", "expiry"], "default": "id" }),
            ),
            after(),
            limit(),
        ]
    }
}

/// Any text: a name that no key can have is the name of none.
pub(super) fn text() -> Value {
    json!({ "type": "string" })
}

/// Describes a parameter of a query.
pub(super) fn parameter(name: &str, description: &str, schema: Value) -> Value {
    let mut parameter = json!({ "name": name, "in": "query", "description": description });
    if let Some(parameter) = parameter.as_object_mut() {
        parameter.insert("schema".to_owned(), schema);
    }
    parameter
}

pub(super) fn after() -> Value {
    parameter("after", "The `next` of the page before.", json!({ "type": "string" }))
}

pub(super) fn limit() -> Value {
    let schema = json!({
        "type": "integer", "minimum": 1, "maximum": KeyQuery::MOST, "default": KeyQuery::USUAL,
    });
    parameter("limit", "The most items of the page.", schema)
}
