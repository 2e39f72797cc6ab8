//! Headers of responses, as they stand in a file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::profile::{PrincipalHeader, PrincipalValue, RequestIdHeader};

/// A header that tells a client who it is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PrincipalHeaderTable {
    pub(super) name: String,
    value: PrincipalValueTable,
}

/// What the header tells.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum PrincipalValueTable {
    /// A counted id of the request, after this prefix.
    RequestId(String),
    Account,
    Environment,
    KeyId,
    /// The metadata of the key with this name.
    Metadata(String),
    /// The requests of the account that are in flight on the route.
    InFlight,
}

impl PrincipalHeaderTable {
    pub(super) fn describe(&self) -> PrincipalHeader<'_> {
        let value = match &self.value {
            PrincipalValueTable::RequestId(prefix) => PrincipalValue::RequestId(prefix),
            PrincipalValueTable::Account => PrincipalValue::Account,
            PrincipalValueTable::Environment => PrincipalValue::Environment,
            PrincipalValueTable::KeyId => PrincipalValue::KeyId,
            PrincipalValueTable::Metadata(name) => PrincipalValue::Metadata(name),
            PrincipalValueTable::InFlight => PrincipalValue::InFlight,
        };
        PrincipalHeader { name: &self.name, value }
    }

    pub(super) fn of(header: &PrincipalHeader<'_>) -> Self {
        let value = match header.value {
            PrincipalValue::RequestId(prefix) => PrincipalValueTable::RequestId(prefix.to_owned()),
            PrincipalValue::Account => PrincipalValueTable::Account,
            PrincipalValue::Environment => PrincipalValueTable::Environment,
            PrincipalValue::KeyId => PrincipalValueTable::KeyId,
            PrincipalValue::Metadata(name) => PrincipalValueTable::Metadata(name.to_owned()),
            PrincipalValue::InFlight => PrincipalValueTable::InFlight,
        };
        Self { name: header.name.to_owned(), value }
    }
}

/// The header that gives each response the id of its request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestIdTable {
    name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    prefix: String,
    /// Writes the id as a UUID.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    uuid: bool,
}

impl RequestIdTable {
    pub(super) const fn describe(&self) -> RequestIdHeader<'_> {
        let header = RequestIdHeader::new(self.name.as_str()).prefix(self.prefix.as_str());
        if self.uuid { header.uuid() } else { header }
    }

    pub(super) fn of(header: &RequestIdHeader<'_>) -> Self {
        Self {
            name: header.name.to_owned(),
            prefix: header.prefix.to_owned(),
            uuid: header.is_uuid,
        }
    }
}
