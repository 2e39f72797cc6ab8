//! Challenges, as they stand in a file.

use bumpalo::Bump;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pairs::Pairs;
use crate::profile::{Challenge, SchemeChallenge};

/// What the challenges of an answer say (RFC 6750 §3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ChallengeName {
    /// The answer has no challenge.
    #[default]
    None,
    /// Only the scheme and the realm.
    Bare,
    InvalidRequest,
    InvalidToken,
    InsufficientScope,
}

impl ChallengeName {
    #[allow(clippy::trivially_copy_pass_by_ref)] // Serde calls it so.
    pub(super) const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    pub(super) const fn describe(self) -> Challenge {
        match self {
            Self::None => Challenge::None,
            Self::Bare => Challenge::Bare,
            Self::InvalidRequest => Challenge::InvalidRequest,
            Self::InvalidToken => Challenge::InvalidToken,
            Self::InsufficientScope => Challenge::InsufficientScope,
        }
    }

    pub(super) const fn of(challenge: Challenge) -> Self {
        match challenge {
            Challenge::None => Self::None,
            Challenge::Bare => Self::Bare,
            Challenge::InvalidRequest => Self::InvalidRequest,
            Challenge::InvalidToken => Self::InvalidToken,
            Challenge::InsufficientScope => Self::InsufficientScope,
        }
    }
}

/// One challenge, written out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChallengeTable {
    scheme: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    without_realm: bool,
    #[serde(default, skip_serializing_if = "is_empty")]
    parameters: Pairs,
}

fn is_empty(pairs: &Pairs) -> bool {
    pairs.0.is_empty()
}

impl ChallengeTable {
    pub(super) fn is_of(&self, scheme: &str) -> bool {
        self.scheme == scheme
    }

    fn describe<'a>(&'a self, room: &'a Bump) -> SchemeChallenge<'a> {
        let challenge =
            SchemeChallenge::new(&self.scheme).parameters(self.parameters.describe(room));
        if self.without_realm { challenge.without_realm() } else { challenge }
    }

    pub(super) fn of(challenge: &SchemeChallenge<'_>) -> Self {
        Self {
            scheme: challenge.scheme.to_owned(),
            without_realm: !challenge.has_realm,
            parameters: Pairs::of(challenge.parameters),
        }
    }
}

pub(super) fn describe_all<'a>(
    challenges: &'a [ChallengeTable],
    room: &'a Bump,
) -> &'a [SchemeChallenge<'a>] {
    let challenges: Vec<_> = challenges.iter().map(|challenge| challenge.describe(room)).collect();
    room.alloc_slice_fill_iter(challenges)
}
