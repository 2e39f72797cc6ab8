//! The error for answers by path that no gate can give.

/// The error for a path prefix that no path has, or whose answers are not valid. The text names the prefix and the
/// remedy.
///
/// ```
/// use tower_api_key::profile::PathAnswers;
/// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
///
/// let by_path = [PathAnswers { prefix: "openai", answers: Profile::STANDARD.answers }];
/// let profile = Profile { answers_by_path: &by_path, ..Profile::STANDARD };
/// let error = ApiKeyLayer::builder(profile, MemoryStore::new()).build().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "the profile's field `answers_by_path`, prefix `openai`: a path begins with a slash: write it as `/openai`"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the profile's field `answers_by_path`, prefix `{}`: {problem}", .prefix.escape_debug())]
pub struct InvalidPathAnswers {
    prefix: String,
    row: Option<&'static str>,
    problem: String,
}

impl InvalidPathAnswers {
    pub(crate) fn new(prefix: &str, problem: impl Into<String>) -> Self {
        Self { prefix: prefix.to_owned(), row: None, problem: problem.into() }
    }

    /// Names the row of these answers that has the problem.
    pub(crate) fn of_row(self, row: Option<&'static str>) -> Self {
        Self { row, ..self }
    }

    /// Returns the prefix as configured.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Returns the name of the row of [`Answers`](crate::profile::Answers) that is wrong; `None` if the prefix is.
    pub const fn row(&self) -> Option<&'static str> {
        self.row
    }
}
