//! Why a front door does not open.

use std::sync::Arc;
use std::time::Duration;

use tower_api_key::ConfigError;
use tower_api_key::config::FrontDoorError;
use tower_api_key::store::StoreError;

/// The reason why a front door does not open, or is not reloaded. It never holds a URL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file cannot be read, or has mistakes.
    #[error(transparent)]
    File(#[from] FrontDoorError),
    /// The reader of the file ended early: the program's own check has panicked, or the runtime shuts down.
    #[error(
        "{file}: the file was not read to its end: the check of the program's table has panicked"
    )]
    Interrupted {
        /// The name of the file.
        file: String,
    },
    /// The file names no store.
    #[error("{file}: there is no table `[store]`: add one, with a `url` as \"sqlite:keys.db\"")]
    NoStore {
        /// The name of the file.
        file: String,
    },
    /// This build opens no such URL.
    #[error("{file}: `{field}`: {problem}")]
    Url {
        /// The name of the file.
        file: String,
        /// The field.
        field: &'static str,
        /// What is wrong, and the remedy.
        problem: String,
    },
    /// The store does not open.
    #[error("{file}: the store of `[store]` does not open: {source}")]
    Store {
        /// The name of the file.
        file: String,
        /// The cause.
        source: StoreError,
    },
    /// The replica of the store has no copy of all records in time.
    #[error(
        "{file}: `store.replica.ready_within`: the first copy of the store was not complete within {within:?}{}: look \
        whether the database answers, or set a longer time", cause(.source.as_deref())
    )]
    NotCopied {
        /// The name of the file.
        file: String,
        /// The longest time that the first copy may take.
        within: Duration,
        /// Why the last question to the store failed, if it did.
        source: Option<Arc<StoreError>>,
    },
    /// The limiter's address or options are not valid.
    #[error("{file}: the limiter of `[limiter]` does not open: {source}")]
    Limiter {
        /// The name of the file.
        file: String,
        /// The cause.
        source: ConfigError,
    },
    /// The file has a table that this build does not run.
    #[error(
        "{file}: `{field}`: this program is built without the feature `{feature}` of `tower-api-key-front-door`: remove \
         this field, or build the program with that feature"
    )]
    NotBuilt {
        /// The name of the file.
        file: String,
        /// The field.
        field: &'static str,
        /// The feature of this crate.
        feature: &'static str,
    },
    /// A webhook is not valid.
    #[cfg(feature = "webhooks")]
    #[error("{file}: `webhooks[{index}]`: {source}")]
    Webhook {
        /// The name of the file.
        file: String,
        /// The place of the webhook in the list, from 0.
        index: usize,
        /// The cause, which names the field.
        source: tower_api_key_webhooks::InvalidWebhook,
    },
    /// The events of keys cannot be recorded or delivered.
    #[error("{file}: `events`: {source}")]
    Events {
        /// The name of the file.
        file: String,
        /// The cause.
        source: StoreError,
    },
    /// The sweep of policies cannot be prepared.
    #[error("{file}: the sweep of policies: {source}")]
    Policies {
        /// The name of the file.
        file: String,
        /// The cause.
        source: StoreError,
    },
    /// The management API does not build.
    #[cfg(feature = "management")]
    #[error("{file}: `management`: {source}")]
    Management {
        /// The name of the file.
        file: String,
        /// The cause.
        source: tower_api_key_admin::management::InvalidManagement,
    },
    /// The layer does not build with this store and limiter.
    #[error("{file}: {source}")]
    Layer {
        /// The name of the file.
        file: String,
        /// The cause.
        source: ConfigError,
    },
}

/// Writes the cause behind what failed, if there is one.
fn cause(error: Option<&StoreError>) -> String {
    error.map(|error| format!(", and the last question failed ({error})")).unwrap_or_default()
}

/// Describes a URL that no feature of this build opens. Shows no part of the URL but a scheme.
pub(crate) fn unknown_scheme(url: &str, known: &[&str]) -> String {
    let known = known.iter().map(|known| format!("`{known}`")).collect::<Vec<_>>().join(" or ");
    match shown_scheme(url) {
        Some(scheme) => format!(
            "this program opens no URL with the scheme `{scheme}`: write {known}, or build it with the feature"
        ),
        None => format!("this URL has no scheme that this program opens: write {known}"),
    }
}

/// Schemes that stand without `//`, too.
const SCHEMES: [&str; 14] = [
    "file",
    "http",
    "https",
    "mariadb",
    "memory",
    "mongodb",
    "mysql",
    "postgres",
    "postgresql",
    "redis",
    "rediss",
    "sqlite",
    "unix",
    "valkey",
];

/// Returns the scheme of a URL, if it surely is one. What stands before a colon may be a user's name or a password.
fn shown_scheme(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once(':')?;
    let is_word = (1..=16).contains(&scheme.len())
        && scheme.starts_with(|it: char| it.is_ascii_alphabetic())
        && scheme.chars().all(|it| it.is_ascii_alphanumeric() || "+-.".contains(it));
    (is_word && (rest.starts_with("//") || SCHEMES.contains(&scheme))).then_some(scheme)
}

#[cfg(test)]
mod tests {
    use super::shown_scheme;

    #[test]
    fn only_what_is_a_scheme_is_shown() {
        for (url, expected) in [
            ("ftp://me:hunter2@host", Some("ftp")),
            ("mysql:keys", Some("mysql")),
            ("hunter2:x@host", None),
            ("hunter2", None),
            ("", None),
            ("://host", None),
            ("hun ter2://host", None),
            ("me:hunter2@host://", None),
        ] {
            assert_eq!(shown_scheme(url), expected, "{url}");
        }
    }
}
