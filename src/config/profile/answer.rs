//! One row of a vendor's answers, as it stands in a file.

use std::fmt;

use bumpalo::Bump;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::body::BodyTable;
use super::challenge::{ChallengeName, ChallengeTable};
use super::grpc_name::GrpcName;
use super::made_by::MadeBy;
use super::optional_fields::{OptionalFields, with_status};
use super::pairs::Pairs;
use super::row_names::NAMES;
use crate::profile::Answer;

/// A row, the name of the row that it equals, or another row with changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
#[allow(clippy::large_enum_variant)] // There are at most thirty.
pub(super) enum AnswerRow {
    /// The name of another row.
    SameAs(#[schemars(schema_with = "name_of_a_row")] String),
    Written(AnswerTable),
    Changed(ChangedRow),
}

fn name_of_a_row(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": NAMES })
}

/// One answer: status, body and headers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerTable {
    /// From 400 to 599, registered or not; or 200 with `insecure_success`.
    pub(super) status: u16,
    /// Lets the row refuse with status 200: everything but the vendor's own client takes that for a success.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) insecure_success: bool,
    pub(super) body: BodyTable,
    /// The media type of the body, in place of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) content_type: Option<String>,
    #[serde(default, skip_serializing_if = "ChallengeName::is_none")]
    pub(super) challenge: ChallengeName,
    /// Challenges of this row, instead of the profile's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) challenges: Vec<ChallengeTable>,
    /// `Retry-After` in seconds, where the gate knows no better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) retry_after: Option<u32>,
    /// Sends no `Retry-After`, not even with status 429.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) without_retry_after: bool,
    /// Answers of single quotas, in the row `rate_limited`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) by_quota: Vec<QuotaAnswerTable>,
    /// Answers of single headers, in the row `header_refused`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) by_header: Vec<HeaderAnswerTable>,
    /// The status of gRPC calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) grpc: Option<GrpcName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) documentation_url: Option<String>,
    /// Headers of this row. Their values may have placeholders.
    #[serde(default, skip_serializing_if = "Pairs::is_empty")]
    pub(super) headers: Pairs,
}

/// The answer to requests that are refused for one header.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HeaderAnswerTable {
    /// The name of the header.
    pub(super) header: String,
    pub(super) answer: AnswerRow,
}

/// The answer to requests that one quota refuses.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct QuotaAnswerTable {
    /// The name of the quota.
    pub(super) quota: String,
    pub(super) answer: AnswerRow,
}

/// Another row, with the fields that stand here in place of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["like"]))]
pub(super) struct ChangedRow {
    /// The name of the other row.
    #[schemars(schema_with = "name_of_a_row")]
    pub(super) like: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<u16>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) insecure_success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<BodyTable>,
    /// Texts of the JSON body, in place of those with the same names.
    #[serde(skip_serializing_if = "Pairs::is_empty")]
    pub(super) values: Pairs,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) challenge: Option<ChallengeName>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) challenges: Vec<ChallengeTable>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retry_after: Option<u32>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) without_retry_after: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) by_quota: Vec<QuotaAnswerTable>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) by_header: Vec<HeaderAnswerTable>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) grpc: Option<GrpcName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) documentation_url: Option<String>,
    /// Headers beside those of the other row, or in place of those with the same names.
    #[serde(skip_serializing_if = "Pairs::is_empty")]
    pub(super) headers: Pairs,
}

impl AnswerTable {
    /// Describes the row, without the answers of single quotas and headers.
    pub(super) fn describe<'a>(&'a self, room: &'a Bump) -> Answer<'a> {
        let body = self.body.describe(room);
        let answer = with_status(self.status, self.insecure_success, body);
        let answer =
            answer.challenge(self.challenge.describe()).headers(self.headers.describe(room));
        let fields = OptionalFields {
            challenges: &self.challenges,
            retry_after: self.retry_after,
            without_retry_after: self.without_retry_after,
            content_type: self.content_type.as_deref(),
            grpc: self.grpc,
            documentation_url: self.documentation_url.as_deref(),
        };
        fields.set(answer, room)
    }

    /// Writes an answer as a table, unless a function makes a part of it.
    pub(super) fn of(answer: &Answer<'_>) -> Result<Self, MadeBy> {
        if answer.made_headers.is_some() {
            return Err(MadeBy("Answer::headers_from"));
        }
        Ok(Self {
            status: answer.status.number(),
            insecure_success: answer.status.is_success(),
            body: BodyTable::of(&answer.body)?,
            content_type: answer.content_type.map(str::to_owned),
            challenge: ChallengeName::of(answer.challenge),
            challenges: answer.challenges.iter().map(ChallengeTable::of).collect(),
            retry_after: answer.retry_after,
            without_retry_after: !answer.sends_retry_after,
            by_quota: of_each(answer.by_quota, |it| {
                Ok(QuotaAnswerTable {
                    quota: it.quota.to_owned(),
                    answer: AnswerRow::of(&it.answer)?,
                })
            })?,
            by_header: of_each(answer.by_header, |it| {
                Ok(HeaderAnswerTable {
                    header: it.header.to_owned(),
                    answer: AnswerRow::of(&it.answer)?,
                })
            })?,
            grpc: answer.grpc.map(GrpcName::of),
            documentation_url: answer.documentation_url.map(str::to_owned),
            headers: Pairs::of(answer.own_headers),
        })
    }
}

impl ChangedRow {
    /// Returns the row as one that is written out.
    ///
    /// # Errors
    ///
    /// An error of serde if a field is missing, or if only a changed row has it.
    pub(super) fn written<E: Error>(self) -> Result<AnswerTable, E> {
        if !self.values.is_empty() {
            let problem = "`values` change the texts of another row: name the row with `like`, or write the values \
                           into the body";
            return Err(E::custom(problem));
        }
        Ok(AnswerTable {
            status: self.status.ok_or_else(|| E::missing_field("status"))?,
            insecure_success: self.insecure_success,
            body: self.body.ok_or_else(|| E::missing_field("body"))?,
            content_type: self.content_type,
            challenge: self.challenge.unwrap_or_default(),
            challenges: self.challenges,
            retry_after: self.retry_after,
            without_retry_after: self.without_retry_after,
            by_quota: self.by_quota,
            by_header: self.by_header,
            grpc: self.grpc,
            documentation_url: self.documentation_url,
            headers: self.headers,
        })
    }
}

impl AnswerRow {
    fn of(answer: &Answer<'_>) -> Result<Self, MadeBy> {
        AnswerTable::of(answer).map(Self::Written)
    }
}

fn of_each<T, R>(list: &[T], write: impl Fn(&T) -> Result<R, MadeBy>) -> Result<Vec<R>, MadeBy> {
    list.iter().map(write).collect()
}

impl<'de> Deserialize<'de> for AnswerRow {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct ReadRow;

        impl<'de> Visitor<'de> for ReadRow {
            type Value = AnswerRow;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an answer, or the name of the row that it equals")
            }

            fn visit_str<E>(self, name: &str) -> Result<AnswerRow, E> {
                Ok(AnswerRow::SameAs(name.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<AnswerRow, A::Error> {
                let row = ChangedRow::deserialize(MapAccessDeserializer::new(map))?;
                if row.like.is_some() {
                    return Ok(AnswerRow::Changed(row));
                }
                row.written().map(AnswerRow::Written)
            }
        }
        from.deserialize_any(ReadRow)
    }
}
