//! The errors of the program and their exit codes, which `--help` lists.

use std::error::Error;
use std::process::ExitCode;

use tower_api_key::ConfigError;
use tower_api_key::config::FrontDoorError;
use tower_api_key::key::{InvalidNetwork, InvalidRecord, IssueError, WeakPepper};
use tower_api_key::store::{ManageError, StoreError};

/// The exit code for an unknown key, account or secret.
pub(crate) const UNKNOWN: u8 = 3;
/// The exit code for a value that is not valid.
pub(crate) const INVALID: u8 = 4;
/// The exit code of `check` for a request that would be refused.
pub(crate) const REFUSED: u8 = 5;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Manage(#[from] ManageError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Record(#[from] InvalidRecord),
    #[error(transparent)]
    Network(#[from] InvalidNetwork),
    #[error(transparent)]
    Issue(#[from] IssueError),
    #[error(transparent)]
    Pepper(#[from] WeakPepper),
    #[error(transparent)]
    Configuration(#[from] ConfigError),
    /// The file of a front door has mistakes. The text has many lines.
    #[error(transparent)]
    FrontDoor(#[from] FrontDoorError),
    #[error("{0}")]
    Invalid(String),
    /// An import that ended early. The text begins with what was imported, because the cause may be long.
    #[error("{status}")]
    Import { status: String, source: Box<Failure> },
    /// A key has a new secret, but the secret could not be printed.
    #[error(
        "{id} is issued, but its secret could not be printed and is lost: issue another with `keys rotate`"
    )]
    SecretLost { id: String, source: Box<Failure> },
    /// Some of several keys could not be revoked or deleted; the others were.
    #[error("{failed} of {all} keys could not be {done}; the others are {done}")]
    Some { failed: usize, all: usize, done: &'static str, source: ManageError },
    /// No policy has the subject, which may be a mistyped one.
    #[error("no policy is for this subject: `policies list` shows those that are set")]
    NoPolicy,
    #[error("{what}")]
    Io { what: String, source: std::io::Error },
}

impl Failure {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    /// Returns the error's text followed by the texts of its causes.
    pub(crate) fn full_text(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            let line = error.to_string();
            if !text.ends_with(&line) {
                text = format!("{text}: {line}");
            }
            cause = error.source();
        }
        text
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code())
    }

    fn code(&self) -> u8 {
        match self {
            Self::NoPolicy => UNKNOWN,
            Self::Manage(error) | Self::Some { source: error, .. } => code_of(error),
            Self::Record(_)
            | Self::Network(_)
            | Self::Issue(_)
            | Self::Pepper(_)
            | Self::Configuration(_)
            | Self::FrontDoor(FrontDoorError::Mistaken { .. })
            | Self::Invalid(_) => INVALID,
            Self::Import { source, .. } | Self::SecretLost { source, .. } => source.code(),
            Self::Store(_) | Self::FrontDoor(_) | Self::Io { .. } => 1,
        }
    }
}

const fn code_of(error: &ManageError) -> u8 {
    match error {
        ManageError::NotFound => UNKNOWN,
        ManageError::Exists
        | ManageError::Invalid(_)
        | ManageError::NotActive(_)
        | ManageError::PolicyViolated(_)
        | ManageError::TooManySecrets(_)
        | ManageError::PreconditionFailed => INVALID,
        _ => 1,
    }
}
