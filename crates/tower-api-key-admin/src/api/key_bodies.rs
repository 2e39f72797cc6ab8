//! The bodies of requests about keys.

use serde::Deserialize;
use serde_json::{Value, json};

use super::change_body::LONGEST_REASON;
use super::moment::{Moment, whole};
use super::object::{Named, Object};
use super::quota_body::QuotaBody;
use super::schema;
use crate::management::{Field, KeyDraft, KeyEdit, Management, ManagementError};

/// A key to create.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
pub(super) struct CreateKeyBody {
    account: Option<String>,
    owner: Option<String>,
    kind: Option<String>,
    environment: Option<String>,
    audience: Option<String>,
    name: String,
    description: String,
    scopes: Option<Vec<String>>,
    networks: Vec<String>,
    quotas: Option<Vec<Object<QuotaBody>>>,
    metadata: Named<String>,
    not_before: Option<Moment>,
    expires: Option<Moment>,
}

impl CreateKeyBody {
    pub(super) fn draft(self) -> Result<KeyDraft, ManagementError> {
        Ok(KeyDraft {
            account: self.account,
            owner: self.owner,
            kind: self.kind,
            environment: self.environment,
            audience: self.audience,
            name: self.name,
            description: self.description,
            scopes: self.scopes,
            networks: self.networks,
            quotas: self.quotas.map(QuotaBody::read_all).transpose()?,
            metadata: self.metadata.0,
            not_before: self.not_before.map(|Moment(at)| at),
            expires: self.expires.map(|Moment(at)| at),
        })
    }

    pub(super) fn schema() -> Value {
        let or_null = schema::or_null;
        let mut body = schema::body(
            &[],
            json!({
                "account": or_null(schema::name("acme")),
                "owner": or_null(schema::name("ada")),
                "kind": or_null(schema::name("service")),
                "environment": or_null(schema::name("live")),
                "audience": or_null(schema::name("billing")),
                "name": schema::text(255),
                "description": schema::text(2_000),
                "scopes": or_null(schema::scopes()),
                "networks": schema::networks(),
                "quotas": or_null(schema::quotas()),
                "metadata": schema::metadata(&schema::text(255)),
                "not_before": or_null(schema::instant()),
                "expires": or_null(schema::instant()),
            }),
        );
        if let Some(body) = body.as_object_mut() {
            let example = json!({ "account": "acme", "environment": "live", "name": "backup job", "scopes": ["users.read"] });
            body.insert("example".to_owned(), example);
        }
        body
    }
}

/// An edit of a key, as a merge patch (RFC 7396).
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct EditKeyBody {
    owner: Field<String>,
    kind: Field<String>,
    name: Field<String>,
    description: Field<String>,
    scopes: Field<Vec<String>>,
    networks: Field<Vec<String>>,
    quotas: Field<Vec<Object<QuotaBody>>>,
    metadata: Named<Option<String>>,
    not_before: Field<Moment>,
    expires: Field<Moment>,
    disabled: Option<bool>,
}

impl EditKeyBody {
    pub(super) fn edit(self) -> Result<KeyEdit, ManagementError> {
        Ok(KeyEdit {
            owner: self.owner,
            kind: self.kind,
            name: self.name,
            description: self.description,
            scopes: self.scopes,
            networks: self.networks,
            quotas: self.quotas.try_map(QuotaBody::read_all)?,
            metadata: self.metadata.0,
            not_before: self.not_before.map(|Moment(at)| at),
            expires: self.expires.map(|Moment(at)| at),
            disabled: self.disabled,
        })
    }

    pub(super) fn schema() -> Value {
        let or_null = schema::or_null;
        schema::body(
            &[],
            json!({
                "owner": schema::name("ada"),
                "kind": schema::name("service"),
                "name": or_null(schema::text(255)),
                "description": or_null(schema::text(2_000)),
                "scopes": or_null(schema::scopes()),
                "networks": or_null(schema::networks()),
                "quotas": or_null(schema::quotas()),
                "metadata": schema::metadata(&or_null(schema::text(255))),
                "not_before": schema::instant(),
                "expires": or_null(schema::instant()),
                "disabled": { "type": ["boolean", "null"] },
            }),
        )
    }
}

/// A rotation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RotateBody {
    #[serde(deserialize_with = "whole")]
    pub(super) overlap_seconds: u32,
}

impl RotateBody {
    pub(super) fn schema() -> Value {
        let most = Management::LONGEST_OVERLAP.as_secs();
        let overlap = json!({
            "type": "integer", "minimum": 0, "maximum": most, "example": 3600,
            "description": "The seconds for which the earlier secrets stay valid; 0 ends them now.",
        });
        schema::body(&["overlap_seconds"], json!({ "overlap_seconds": overlap }))
    }
}

/// A revocation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RevokeBody {
    pub(super) reason: String,
}

impl RevokeBody {
    pub(super) fn schema() -> Value {
        let mut reason = schema::text(LONGEST_REASON);
        if let Some(reason) = reason.as_object_mut() {
            reason.insert("minLength".to_owned(), 1.into());
            reason.insert("example".to_owned(), "leaked".into());
        }
        schema::body(&["reason"], json!({ "reason": reason }))
    }
}

/// A secret whose key is looked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WhoIsBody {
    pub(super) secret: String,
}

impl WhoIsBody {
    pub(super) fn schema() -> Value {
        schema::body(&["secret"], json!({ "secret": { "type": "string", "format": "password" } }))
    }
}
