//! The bodies of refusals, as they stand in a file.

use bumpalo::Bump;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::made_by::MadeBy;
use super::pairs::Pairs;
use super::shape::JsonShape;
use crate::profile::{ErrorBody, Problem, ProblemMember, ProblemValue};

/// The format and the text of a refusal's body. Texts may have placeholders, as `{scope}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum BodyTable {
    /// No content.
    Empty,
    /// This text, as `text/plain`.
    Text(String),
    /// `{"error":"…"}`
    Error(String),
    /// `{"error":{"code":"…","message":"…"}}`
    CodeAndMessage { code: String, message: String },
    /// `{"errors":[{"title":"…","details":"…"}]}`
    TitleAndDetails { title: String, details: String },
    /// `{"code":401,"context":{},"error":"…","status":"Unauthorized"}`
    CodeAndContext { error: String },
    /// `{"key":"…","message":"…","metadata":{},"status":403}`
    KeyAndMetadata { key: String, message: String },
    /// JSON of any shape.
    Json {
        shape: JsonShape,
        /// Texts that the shape names in braces. gRPC calls get the text named `message`.
        #[serde(default, skip_serializing_if = "Pairs::is_empty")]
        values: Pairs,
    },
    /// RFC 9457 problem details.
    Problem(ProblemTable),
}

/// RFC 9457 problem details.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProblemTable {
    /// A URI that names the kind of problem.
    #[serde(rename = "type")]
    kind: String,
    title: String,
    detail: String,
    /// A URI reference of this occurrence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    /// Further members.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    members: Vec<ProblemMemberTable>,
}

/// A further member of problem details.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ProblemMemberTable {
    name: String,
    value: ProblemValueTable,
}

/// The value of a further member.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum ProblemValueTable {
    Text(String),
    /// A value of any shape.
    Json(JsonShape),
    /// The quotas that were exceeded.
    ViolatedPolicies,
}

impl BodyTable {
    pub(super) fn describe<'a>(&'a self, room: &'a Bump) -> ErrorBody<'a> {
        match self {
            Self::Empty => ErrorBody::Empty,
            Self::Text(text) => ErrorBody::Text(text),
            Self::Error(text) => ErrorBody::Error(text),
            Self::CodeAndMessage { code, message } => ErrorBody::CodeAndMessage { code, message },
            Self::TitleAndDetails { title, details } => {
                ErrorBody::TitleAndDetails { title, details }
            }
            Self::CodeAndContext { error } => ErrorBody::CodeAndContext { error },
            Self::KeyAndMetadata { key, message } => ErrorBody::KeyAndMetadata { key, message },
            Self::Json { shape, values } => {
                ErrorBody::Json { shape: &shape.0, values: values.describe(room) }
            }
            Self::Problem(problem) => ErrorBody::Problem(problem.describe(room)),
        }
    }

    /// Writes a body as a table, unless a function makes it.
    pub(super) fn of(body: &ErrorBody<'_>) -> Result<Self, MadeBy> {
        let own = |text: &str| text.to_owned();
        Ok(match *body {
            ErrorBody::Empty => Self::Empty,
            ErrorBody::Text(text) => Self::Text(own(text)),
            ErrorBody::Error(text) => Self::Error(own(text)),
            ErrorBody::CodeAndMessage { code, message } => {
                Self::CodeAndMessage { code: own(code), message: own(message) }
            }
            ErrorBody::TitleAndDetails { title, details } => {
                Self::TitleAndDetails { title: own(title), details: own(details) }
            }
            ErrorBody::CodeAndContext { error } => Self::CodeAndContext { error: own(error) },
            ErrorBody::KeyAndMetadata { key, message } => {
                Self::KeyAndMetadata { key: own(key), message: own(message) }
            }
            ErrorBody::Json { shape, values } => {
                Self::Json { shape: JsonShape(own(shape)), values: Pairs::of(values) }
            }
            ErrorBody::Problem(problem) => Self::Problem(ProblemTable::of(&problem)),
            ErrorBody::Custom(_) => return Err(MadeBy("ErrorBody::Custom")),
        })
    }
}

impl ProblemTable {
    fn describe<'a>(&'a self, room: &'a Bump) -> Problem<'a> {
        let members = self.members.iter().map(|member| ProblemMember {
            name: &member.name,
            value: match &member.value {
                ProblemValueTable::Text(text) => ProblemValue::Text(text),
                ProblemValueTable::Json(shape) => ProblemValue::Json(&shape.0),
                ProblemValueTable::ViolatedPolicies => ProblemValue::ViolatedPolicies,
            },
        });
        let members = room.alloc_slice_fill_iter(members.collect::<Vec<_>>());
        let problem = Problem::new(&self.kind, &self.title, &self.detail).members(members);
        self.instance.as_deref().map_or(problem, |instance| problem.instance(instance))
    }

    fn of(problem: &Problem<'_>) -> Self {
        let member = |member: &ProblemMember<'_>| ProblemMemberTable {
            name: member.name.to_owned(),
            value: match member.value {
                ProblemValue::Text(text) => ProblemValueTable::Text(text.to_owned()),
                ProblemValue::Json(shape) => ProblemValueTable::Json(JsonShape(shape.to_owned())),
                ProblemValue::ViolatedPolicies => ProblemValueTable::ViolatedPolicies,
            },
        };
        Self {
            kind: problem.kind.to_owned(),
            title: problem.title.to_owned(),
            detail: problem.detail.to_owned(),
            instance: problem.instance.map(str::to_owned),
            members: problem.members.iter().map(member).collect(),
        }
    }
}
