//! Why an operation was not done.

use std::borrow::Cow;

use http::StatusCode;
use tower_api_key::key::{IssueError, KeyRecord};
use tower_api_key::policy::PolicyViolation;
use tower_api_key::store::{KeyState, ManageError, StoreError};

use super::scope_name::ScopeName;

/// The reason why an operation was not done. Nothing was changed, except with [`NotYetApplied`](Self::NotYetApplied).
///
/// `Display` is the text for the client. It holds no secret.
#[derive(Debug)]
#[non_exhaustive]
pub enum ManagementError {
    /// The caller's key does not have this scope.
    MissingScope(&'static str),
    /// Only operators may do this.
    OperatorsOnly,
    /// The caller is no operator, and this management admits no owners.
    NoOwners,
    /// The id of the caller's key is one of the [`RESERVED_AUTHORS`](tower_api_key::store::RESERVED_AUTHORS), so its changes
    /// would look like those of a task of the store.
    ReservedAuthor,
    /// The caller may not give this field this value, because its own key has less.
    NotGrantable {
        /// The name of the field.
        field: &'static str,
        /// What the caller's key lacks.
        problem: String,
    },
    /// A session's key was changed or has ended since the sign-in.
    SessionEnded,
    /// There is no such key, account or counter, or the caller does not see it.
    NotFound(&'static str),
    /// A field is not valid.
    Invalid {
        /// The name of the field.
        field: Cow<'static, str>,
        /// What is wrong, and the remedy.
        problem: String,
    },
    /// A key or an account with this id exists.
    Exists,
    /// The key is in a state in which this cannot be done.
    NotActive(KeyState),
    /// The owner of the key has this number of keys, which is the most.
    TooManyKeys(u32),
    /// The key would break a rule of a policy.
    PolicyViolated {
        /// The rule, and the remedy. Its text may repeat a scope of the request.
        violation: PolicyViolation,
        /// The scope that the policy does not allow, among the sorted scopes of the key.
        scope: Option<ScopeName>,
    },
    /// The policy for this subject has a rule or a subject of a newer version. It can be deleted, and nothing that it covers
    /// can be changed until then.
    PolicyUnreadable(String),
    /// The key has this number of valid secrets, which is the most.
    TooManySecrets(usize),
    /// The account is one of operators, which this management neither disables nor deletes.
    OperatorAccount,
    /// The change would overwrite what another caller may have changed: it must name the version that the caller saw.
    VersionMissing,
    /// The key or the account has another version than the caller saw.
    VersionDiffers,
    /// The idempotency key was used for another change.
    IdempotencyKeyReused,
    /// The key that an earlier request with this idempotency key created was deleted since.
    CreatedKeyDeleted,
    /// The deployment does not offer this.
    NotOffered(&'static str),
    /// The store has made the change, and a replica does not apply it yet.
    NotYetApplied,
    /// The store or the limiter cannot answer. The cause is for the operator's log.
    Unavailable(StoreError),
    /// No key could be issued. The cause is for the operator's log.
    NotIssued(IssueError),
}

impl ManagementError {
    /// Describes a field that is not valid.
    #[allow(clippy::needless_pass_by_value, reason = "an error or a text, read once")]
    pub(crate) fn invalid(field: impl Into<Cow<'static, str>>, problem: impl ToString) -> Self {
        Self::Invalid { field: field.into(), problem: problem.to_string() }
    }

    /// Describes a change of a key that the store has refused. `key` is the key as it would be.
    pub(super) fn of_key(
        error: ManageError,
        key: &KeyRecord,
        is_known: impl Fn(&str) -> bool,
    ) -> Self {
        let ManageError::PolicyViolated(violation) = error else { return error.into() };
        let place = |scope: &str| {
            let index = key.own_scopes()?.iter().position(|own| own == scope)?;
            Some(ScopeName::of(scope, index, is_known(scope)))
        };
        let scope = match &violation {
            PolicyViolation::Scope { scope, .. } => place(scope),
            _ => None,
        };
        Self::PolicyViolated { violation, scope }
    }

    /// Returns the status with which the API answers.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::MissingScope(_)
            | Self::OperatorsOnly
            | Self::NoOwners
            | Self::ReservedAuthor
            | Self::NotGrantable { .. } => StatusCode::FORBIDDEN,
            Self::SessionEnded => StatusCode::UNAUTHORIZED,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            // As with the bound on the keys of an owner.
            Self::PolicyViolated { violation: PolicyViolation::TooManyKeys { .. }, .. }
            | Self::Exists
            | Self::NotActive(_)
            | Self::TooManyKeys(_)
            | Self::TooManySecrets(_)
            | Self::OperatorAccount
            | Self::CreatedKeyDeleted => StatusCode::CONFLICT,
            Self::Invalid { .. } | Self::PolicyViolated { .. } | Self::IdempotencyKeyReused => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Self::VersionMissing => StatusCode::PRECONDITION_REQUIRED,
            Self::VersionDiffers => StatusCode::PRECONDITION_FAILED,
            Self::NotOffered(_) => StatusCode::NOT_IMPLEMENTED,
            Self::PolicyUnreadable(_) | Self::NotYetApplied | Self::Unavailable(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::NotIssued(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Returns the name of the reason, for programs: `missing-scope`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::MissingScope(_) => "missing-scope",
            Self::OperatorsOnly => "operators-only",
            Self::NoOwners => "no-owners",
            Self::ReservedAuthor => "reserved-author",
            Self::NotGrantable { .. } => "not-grantable",
            Self::SessionEnded => "session-ended",
            Self::NotFound(_) => "not-found",
            Self::Invalid { .. } => "invalid",
            Self::Exists => "exists",
            Self::NotActive(_) => "not-active",
            Self::TooManyKeys(_) => "too-many-keys",
            Self::PolicyViolated { .. } => "policy-violated",
            Self::PolicyUnreadable(_) => "policy-unreadable",
            Self::TooManySecrets(_) => "too-many-secrets",
            Self::OperatorAccount => "operator-account",
            Self::VersionMissing => "version-missing",
            Self::VersionDiffers => "version-differs",
            Self::IdempotencyKeyReused => "idempotency-key-reused",
            Self::CreatedKeyDeleted => "created-key-deleted",
            Self::NotOffered(_) => "not-offered",
            Self::NotYetApplied => "not-yet-applied",
            Self::Unavailable(_) => "unavailable",
            Self::NotIssued(_) => "not-issued",
        }
    }

    /// Returns the name of the field that the error is about.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Invalid { field, .. } => Some(field),
            Self::NotGrantable { field, .. } => Some(field),
            Self::PolicyViolated { violation, .. } => violation.field(),
            _ => None,
        }
    }
}

impl std::fmt::Display for ManagementError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::MissingScope(scope) => write!(formatter, "your key lacks the scope `{scope}`"),
            Self::OperatorsOnly => formatter.write_str("only operators may do this"),
            Self::NoOwners => formatter.write_str("only keys of operators may manage keys here"),
            Self::ReservedAuthor => formatter.write_str(
                "the trail keeps the id of your key for a task of the store: use a key with another id",
            ),
            Self::NotGrantable { field, problem } | Self::Invalid { field: Cow::Borrowed(field), problem } => {
                write!(formatter, "{field}: {problem}")
            }
            Self::Invalid { field, problem } => write!(formatter, "{field}: {problem}"),
            Self::SessionEnded => {
                formatter.write_str("your key was changed or has ended: sign in again")
            }
            Self::NotFound(what) => write!(formatter, "there is no such {what}"),
            Self::Exists => formatter.write_str("this id is taken: choose another"),
            Self::NotActive(KeyState::Disabled) => {
                formatter.write_str("the key or its account is disabled: enable it first")
            }
            Self::NotActive(KeyState::Expired) => {
                formatter.write_str("the key has expired: set a later expiry first")
            }
            Self::NotActive(_) => {
                formatter.write_str("the key is revoked, which is final: create another key")
            }
            Self::TooManyKeys(most) => {
                write!(formatter, "an owner may have {most} keys here: revoke one that is not used")
            }
            Self::PolicyViolated {
                violation: PolicyViolation::Scope { subject, .. },
                scope: Some(scope),
            } => write!(
                formatter,
                "scopes: the policy for {subject} does not allow {scope}: leave it out"
            ),
            Self::PolicyViolated { violation: PolicyViolation::Scope { subject, .. }, .. } => write!(
                formatter,
                "scopes: the policy for {subject} does not allow one of them: leave it out"
            ),
            Self::PolicyViolated { violation, .. } => match violation.field() {
                Some(field) => write!(formatter, "{field}: {violation}"),
                None => write!(formatter, "{violation}"),
            },
            Self::PolicyUnreadable(subject) => write!(
                formatter,
                "this server cannot read the policy for {subject}: update the server, or delete the policy and set it again"
            ),
            Self::TooManySecrets(most) => write!(
                formatter,
                "the key has {most} valid secrets: wait until one ends, or rotate without overlap"
            ),
            Self::OperatorAccount => {
                formatter.write_str("this is an account of operators: change it with the command line")
            }
            Self::VersionMissing => formatter
                .write_str("say which version you saw: send the ETag that you read as If-Match"),
            Self::VersionDiffers => {
                formatter.write_str("someone else has changed this: read it again, and decide anew")
            }
            Self::IdempotencyKeyReused => formatter
                .write_str("the idempotency key was used for another request: choose another"),
            Self::CreatedKeyDeleted => formatter.write_str(
                "this request was made before, and its key was deleted since: send another idempotency key",
            ),
            Self::NotOffered(what) => write!(formatter, "this deployment does not offer {what}"),
            Self::NotYetApplied => formatter
                .write_str("the change is made, and this server does not apply it yet: read it again"),
            Self::Unavailable(_) => formatter.write_str("the store cannot answer now: try again"),
            Self::NotIssued(_) => formatter.write_str("no key could be issued: tell the operators"),
        }
    }
}

impl std::error::Error for ManagementError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unavailable(error) => Some(error),
            Self::NotIssued(error) => Some(error),
            _ => None,
        }
    }
}

impl From<ManageError> for ManagementError {
    fn from(error: ManageError) -> Self {
        match error {
            ManageError::NotFound => Self::NotFound("key or account"),
            ManageError::Exists => Self::Exists,
            ManageError::TooManyKeys(most) => Self::TooManyKeys(most),
            ManageError::PolicyViolated(violation) => {
                Self::PolicyViolated { violation, scope: None }
            }
            ManageError::PolicyUnreadable { subject, .. } => Self::PolicyUnreadable(subject),
            ManageError::TooManySecrets(most) => Self::TooManySecrets(most),
            ManageError::NotActive(state) => Self::NotActive(state),
            ManageError::PreconditionFailed => Self::VersionDiffers,
            ManageError::IdempotencyKeyReused => Self::IdempotencyKeyReused,
            ManageError::WrongPosition => {
                Self::invalid("after", "it belongs to a list of another order: begin anew")
            }
            ManageError::Invalid(problem) => Self::invalid("request", problem),
            ManageError::NotYetApplied(_) => Self::NotYetApplied,
            ManageError::Store(error) => Self::Unavailable(error),
            other => Self::Unavailable(StoreError::new(other)),
        }
    }
}
