//! The subject of a policy, in the path of a request.

use axum::extract::FromRequestParts;
use http::request::Parts;
use tower_api_key::key::{AccountId, InvalidName, KeyKind};
use tower_api_key::policy::PolicySubject;

use super::asking::path_parameter;
use super::problem::Problem;
use crate::management::ManagementError;

/// Which subjects a path is about. The route leaves it in the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SubjectPath {
    All,
    Account,
    Kind,
    /// Subjects that this version does not know.
    Unknown,
}

/// The subject that the path of a request names. The name may be one that no account and no kind can have.
pub(super) struct NamedSubject(Result<PolicySubject, ManagementError>);

impl NamedSubject {
    /// Returns the subject of a policy that should exist: there is none of a name that cannot be.
    pub(super) fn existing(self) -> Result<PolicySubject, ManagementError> {
        self.0.map_err(|_| ManagementError::NotFound("policy"))
    }

    /// Returns the subject of a policy to save.
    pub(super) fn valid(self) -> Result<PolicySubject, ManagementError> {
        self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for NamedSubject {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let invalid = |field: &'static str| {
            move |problem: InvalidName| ManagementError::invalid(field, problem)
        };
        let subject = match parts.extensions.get::<SubjectPath>().copied() {
            Some(SubjectPath::All) => Ok(PolicySubject::All),
            Some(SubjectPath::Account) => {
                let id = path_parameter(parts, state, "id").await?;
                AccountId::new(id).map(PolicySubject::Account).map_err(invalid("id"))
            }
            Some(SubjectPath::Kind) => {
                let kind = path_parameter(parts, state, "kind").await?;
                KeyKind::new(kind).map(PolicySubject::Kind).map_err(invalid("kind"))
            }
            Some(SubjectPath::Unknown) => {
                let text = path_parameter(parts, state, "subject").await?;
                match PolicySubject::stored(&text) {
                    unknown @ PolicySubject::Unknown(_) => Ok(unknown),
                    _ => Err(ManagementError::NotFound("policy")),
                }
            }
            None => return Err(Problem::unknown_path()),
        };
        Ok(Self(subject))
    }
}
