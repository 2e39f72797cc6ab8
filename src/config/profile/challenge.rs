//! Challenges, as they stand in a file.

use bumpalo::Bump;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pairs::Pairs;
use crate::config::names::names;
use crate::profile::{Challenge, SchemeChallenge};

names! {
    /// What the challenges of an answer say (RFC 6750 §3).
    #[derive(Default)]
    pub(super) enum ChallengeName of Challenge {
        /// The answer has no challenge.
        #[default]
        None,
        /// Only the scheme and the realm.
        Bare,
        InvalidRequest,
        InvalidToken,
        InsufficientScope,
    }
}

impl ChallengeName {
    #[allow(clippy::trivially_copy_pass_by_ref)] // Serde calls it so.
    pub(super) const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}

/// One challenge, written out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChallengeTable {
    scheme: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    without_realm: bool,
    #[serde(default, skip_serializing_if = "Pairs::is_empty")]
    parameters: Pairs,
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
