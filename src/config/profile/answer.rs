//! One row of a vendor's answers, as it stands in a file.

use std::fmt;

use bumpalo::Bump;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::answers::NAMES;
use super::body::BodyTable;
use super::challenge::{ChallengeName, ChallengeTable, describe_all};
use super::pairs::Pairs;
use crate::profile::{Answer, GrpcCode};

/// A row, or the name of the row that it equals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
#[allow(clippy::large_enum_variant)] // There are at most thirty.
pub(super) enum AnswerRow {
    /// The name of another row.
    SameAs(#[schemars(schema_with = "name_of_a_row")] String),
    Written(AnswerTable),
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
    #[serde(default, skip_serializing_if = "ChallengeName::is_none")]
    pub(super) challenge: ChallengeName,
    /// Challenges of this row, instead of the profile's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) challenges: Vec<ChallengeTable>,
    /// `Retry-After` in seconds, where the gate knows no better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) retry_after: Option<u32>,
    /// The status of gRPC calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) grpc: Option<GrpcName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) documentation_url: Option<String>,
    /// Headers of this row. Their values may have placeholders.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub(super) headers: Pairs,
}

fn is_empty(pairs: &Pairs) -> bool {
    pairs.0.is_empty()
}

impl AnswerTable {
    pub(super) fn describe<'a>(&'a self, room: &'a Bump) -> Answer<'a> {
        let body = self.body.describe(room);
        let answer = match (self.insecure_success, self.status) {
            (true, 200) => Answer::insecure_success(body),
            (_, status) => Answer::of_code(status, body),
        };
        let mut answer =
            answer.challenge(self.challenge.describe()).headers(self.headers.describe(room));
        if !self.challenges.is_empty() {
            answer = answer.challenges(describe_all(&self.challenges, room));
        }
        if let Some(seconds) = self.retry_after {
            answer = answer.retry_after(seconds);
        }
        if let Some(code) = self.grpc {
            answer = answer.grpc(code.describe());
        }
        match &self.documentation_url {
            Some(url) => answer.documentation_url(url),
            None => answer,
        }
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
            challenge: ChallengeName::of(answer.challenge),
            challenges: answer.challenges.iter().map(ChallengeTable::of).collect(),
            retry_after: answer.retry_after,
            grpc: answer.grpc.map(GrpcName::of),
            documentation_url: answer.documentation_url.map(str::to_owned),
            headers: Pairs::of(answer.own_headers),
        })
    }
}

/// Names what sets a function, which no file can hold.
#[derive(Debug)]
pub(super) struct MadeBy(pub(super) &'static str);

impl<'de> Deserialize<'de> for AnswerRow {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = AnswerRow;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an answer, or the name of the row that it equals")
            }

            fn visit_str<E>(self, name: &str) -> Result<AnswerRow, E> {
                Ok(AnswerRow::SameAs(name.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<AnswerRow, A::Error> {
                AnswerTable::deserialize(MapAccessDeserializer::new(map)).map(AnswerRow::Written)
            }
        }
        from.deserialize_any(Read)
    }
}

macro_rules! grpc_names {
    ($($name:ident)*) => {
        /// The name of a gRPC status.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub(super) enum GrpcName {
            $($name,)*
        }

        impl GrpcName {
            const fn describe(self) -> GrpcCode {
                match self {
                    $(Self::$name => GrpcCode::$name,)*
                }
            }

            const fn of(code: GrpcCode) -> Self {
                match code {
                    $(GrpcCode::$name => Self::$name,)*
                }
            }
        }
    };
}

grpc_names! {
    Cancelled Unknown InvalidArgument DeadlineExceeded NotFound AlreadyExists PermissionDenied
    ResourceExhausted FailedPrecondition Aborted OutOfRange Unimplemented Internal Unavailable
    DataLoss Unauthenticated
}
