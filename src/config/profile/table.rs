//! The profile of a file: a shipped one, a shipped one with changes, or a new one.

use bumpalo::Bump;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answers::AnswersTable;
use super::base::BaseName;
use super::challenge::{ChallengeTable, describe_all};
use super::credential::CredentialTable;
use super::expected::RequiredHeaderTable;
use super::format::FormatTable;
use super::limit_headers::LimitHeadersTable;
use super::pairs::Pairs;
use super::principal::{PrincipalHeaderTable, RequestIdTable};
use crate::config::named::NamedTable;
use crate::config::quota::{self, QuotaTable};
use crate::config::read::{Contradiction, Path};
use crate::config::write::UnwritableProfile;
use crate::key::KeyFormat;
use crate::profile::Profile;
use crate::profile::{Answer, Answers, ErrorBody, LimitHeaders, PathAnswers, ResponseHeader};
use crate::quota::Quota;

/// How a vendor authenticates requests.
///
/// With `base` it starts from a shipped profile, and each field that stands here replaces that of the base. Without
/// `base` it needs `name`, `realm`, `credentials`, `formats` and `answers`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct ProfileTable {
    /// The shipped profile to start from.
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<BaseName>,
    /// The vendor's name, for logs and spans.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The realm of challenges (RFC 9110 §11.5).
    #[serde(skip_serializing_if = "Option::is_none")]
    realm: Option<String>,
    /// The places of a request that carry keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) credentials: Option<Vec<CredentialTable>>,
    /// How keys look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) formats: Option<Vec<FormatTable>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) required_headers: Option<Vec<RequiredHeaderTable>>,
    /// The quotas of every account.
    #[serde(skip_serializing_if = "Option::is_none")]
    quotas: Option<Vec<QuotaTable>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) limit_headers: Option<LimitHeadersTable>,
    /// Headers that tell clients who they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) principal_headers: Option<Vec<PrincipalHeaderTable>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<RequestIdTable>,
    /// Headers of every response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) response_headers: Option<Pairs>,
    /// The challenges of every 401, instead of those that follow from `credentials`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) challenges: Option<Vec<ChallengeTable>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) answers: Option<AnswersTable>,
    /// Answers of some paths, instead of `answers`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) answers_by_path: Option<Vec<PathAnswersTable>>,
}

/// The answers of the paths with a prefix. A row that does not stand here is that of `answers`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PathAnswersTable {
    pub(super) prefix: String,
    pub(super) answers: AnswersTable,
}

/// A profile without anything: no gate can be built from it.
pub(in crate::config) const NOTHING: Profile<'static> = Profile {
    name: "",
    realm: "",
    credentials: &[],
    formats: &[],
    required_headers: &[],
    quotas: &[],
    limit_headers: LimitHeaders::NONE,
    principal_headers: &[],
    request_id: None,
    response_headers: &[],
    challenges: &[],
    answers: Answers::all(Answer::of_code(500, ErrorBody::Empty)),
    answers_by_path: &[],
};

impl ProfileTable {
    /// Returns the quotas of the profile: those of the file, or those of its base.
    ///
    /// They are apart from [`describe`](Self::describe), because a quota owns its name.
    pub(in crate::config) fn quotas(&self, path: &Path) -> Result<Vec<Quota>, Contradiction> {
        match &self.quotas {
            Some(quotas) => quota::describe_all(quotas, &path.field("quotas")),
            None => Ok(self.base().quotas.to_vec()),
        }
    }

    /// Describes the profile, with these quotas. The parts that have to be made live in `room`.
    pub(in crate::config) fn describe<'a>(
        &'a self,
        quotas: &'a [Quota],
        room: &'a Bump,
        path: &Path,
    ) -> Result<Profile<'a>, Contradiction> {
        let base: Profile<'a> = self.base();
        if self.base.is_none() {
            self.is_whole(path)?;
        }
        let base_answers = self.base.is_some().then_some(&base.answers);
        let answers = match &self.answers {
            Some(answers) => answers.describe(base_answers, room, &path.field("answers"))?,
            None => base.answers,
        };
        Ok(Profile {
            name: self.name.as_deref().unwrap_or(base.name),
            realm: self.realm.as_deref().unwrap_or(base.realm),
            credentials: each(room, self.credentials.as_deref(), base.credentials, |source| {
                source.describe(room)
            }),
            formats: self.described_formats(base.formats, room, &path.field("formats"))?,
            required_headers: each(
                room,
                self.required_headers.as_deref(),
                base.required_headers,
                |header| header.describe(room),
            ),
            quotas,
            limit_headers: match &self.limit_headers {
                Some(headers) => headers.describe(room),
                None => base.limit_headers,
            },
            principal_headers: each(
                room,
                self.principal_headers.as_deref(),
                base.principal_headers,
                PrincipalHeaderTable::describe,
            ),
            request_id: self.request_id.as_ref().map(RequestIdTable::describe).or(base.request_id),
            response_headers: match &self.response_headers {
                Some(Pairs(NamedTable(headers))) => room.alloc_slice_fill_iter(
                    headers.iter().map(|(name, value)| ResponseHeader { name, value }),
                ),
                None => base.response_headers,
            },
            challenges: self
                .challenges
                .as_ref()
                .map_or(base.challenges, |list| describe_all(list, room)),
            answers,
            answers_by_path: self.paths(&answers, base.answers_by_path, room, path)?,
        })
    }

    /// Starts from the standards' profile if there is no base, so that something can be built of the rest.
    pub(in crate::config) fn on_standard(mut self) -> Self {
        self.base.get_or_insert(BaseName::Standard);
        self
    }

    /// Writes a profile as a table, in full.
    pub(in crate::config) fn of(profile: &Profile<'_>) -> Result<Self, UnwritableProfile> {
        let path = |table: &PathAnswers<'_>| {
            let answers = AnswersTable::of(&table.answers, Some(&profile.answers))
                .map_err(|made| UnwritableProfile::at(Some(table.prefix), &made))?;
            Ok(PathAnswersTable { prefix: table.prefix.to_owned(), answers })
        };
        let paths = profile.answers_by_path.iter().map(path).collect::<Result<Vec<_>, _>>()?;
        let answers = AnswersTable::of(&profile.answers, None)
            .map_err(|made| UnwritableProfile::at(None, &made))?;
        let limit_headers = profile.limit_headers != LimitHeaders::NONE;
        let response_headers: Vec<_> =
            profile.response_headers.iter().map(|header| (header.name, header.value)).collect();
        Ok(Self {
            base: None,
            name: Some(profile.name.to_owned()),
            realm: Some(profile.realm.to_owned()),
            credentials: Some(profile.credentials.iter().map(CredentialTable::of).collect()),
            formats: Some(profile.formats.iter().map(FormatTable::of).collect()),
            required_headers: written(profile.required_headers, RequiredHeaderTable::of),
            quotas: written(profile.quotas, QuotaTable::of),
            limit_headers: limit_headers.then(|| LimitHeadersTable::of(&profile.limit_headers)),
            principal_headers: written(profile.principal_headers, PrincipalHeaderTable::of),
            request_id: profile.request_id.as_ref().map(RequestIdTable::of),
            response_headers: (!response_headers.is_empty()).then(|| Pairs::of(&response_headers)),
            challenges: written(profile.challenges, ChallengeTable::of),
            answers: Some(answers),
            answers_by_path: (!paths.is_empty()).then_some(paths),
        })
    }

    fn base(&self) -> Profile<'static> {
        self.base.map_or(NOTHING, BaseName::profile)
    }

    /// Checks that a profile without a base has what no vendor lacks.
    fn is_whole(&self, path: &Path) -> Result<(), Contradiction> {
        if *self == Self::default() {
            let problem =
                "the profile is missing: name a shipped one in `profile.base`, or describe one";
            return Err(Contradiction::new(path.clone(), &problem));
        }
        let missing = match self {
            Self { name: None, .. } => "name",
            Self { realm: None, .. } => "realm",
            Self { credentials: None, .. } => "credentials",
            Self { formats: None, .. } => "formats",
            Self { answers: None, .. } => "answers",
            _ => return Ok(()),
        };
        let problem = format!(
            "the field `{missing}` is missing: add it, or start from a shipped profile with `base`"
        );
        Err(Contradiction::new(path.clone(), &problem))
    }

    fn described_formats<'a>(
        &'a self,
        base: &'a [KeyFormat<'a>],
        room: &'a Bump,
        path: &Path,
    ) -> Result<&'a [KeyFormat<'a>], Contradiction> {
        let Some(formats) = &self.formats else { return Ok(base) };
        let numbered = formats.iter().enumerate();
        let formats = numbered.map(|(index, format)| format.describe(room, &path.item(index)));
        let formats: Vec<KeyFormat<'a>> = formats.collect::<Result<_, _>>()?;
        Ok(room.alloc_slice_fill_iter(formats))
    }

    fn paths<'a>(
        &'a self,
        answers: &Answers<'a>,
        base: &'a [PathAnswers<'a>],
        room: &'a Bump,
        path: &Path,
    ) -> Result<&'a [PathAnswers<'a>], Contradiction> {
        let Some(paths) = &self.answers_by_path else { return Ok(base) };
        let described = paths.iter().enumerate().map(|(index, table)| {
            let path = path.field("answers_by_path").item(index).field("answers");
            let answers = table.answers.describe(Some(answers), room, &path)?;
            Ok(PathAnswers { prefix: &table.prefix, answers })
        });
        Ok(room.alloc_slice_fill_iter(described.collect::<Result<Vec<_>, _>>()?))
    }
}

/// Writes each item of a list, unless it is empty.
fn written<D, T>(list: &[D], write: impl Fn(&D) -> T) -> Option<Vec<T>> {
    (!list.is_empty()).then(|| list.iter().map(write).collect())
}

/// Describes each item of a list that stands in the file, or returns that of the base.
fn each<'a, T, D: Copy>(
    room: &'a Bump,
    list: Option<&'a [T]>,
    base: &'a [D],
    describe: impl Fn(&'a T) -> D,
) -> &'a [D] {
    match list {
        Some(list) => room.alloc_slice_fill_iter(list.iter().map(describe)),
        None => base,
    }
}
