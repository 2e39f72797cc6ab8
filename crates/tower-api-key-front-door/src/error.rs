//! Why a front door does not open.

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
    /// The file names no store.
    #[error("{file}: there is no table `[store]`: add one, with a `url` as \"sqlite:keys.db\"")]
    NoStore {
        /// The name of the file.
        file: String,
    },
    /// This build opens no such URLs.
    #[error(
        "{file}: `{field}`: this program opens no URL with the scheme `{}`: write {known}, or build it with the \
         feature", .scheme.escape_debug()
    )]
    UnknownScheme {
        /// The name of the file.
        file: String,
        /// The field.
        field: &'static str,
        /// What stands before the colon of the URL, cut after 16 characters.
        scheme: String,
        /// The schemes that this build opens.
        known: String,
    },
    /// The store does not open.
    #[error("{file}: the store of `[store]` does not open: {source}")]
    Store {
        /// The name of the file.
        file: String,
        /// The cause.
        source: StoreError,
    },
    /// The limiter's address or options are not valid.
    #[error("{file}: the limiter of `[limiter]` does not open: {source}")]
    Limiter {
        /// The name of the file.
        file: String,
        /// The cause.
        source: ConfigError,
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

impl OpenError {
    /// Creates the error of a URL that no feature of this build opens.
    pub(crate) fn unknown_scheme(
        file: &str,
        field: &'static str,
        scheme: &str,
        known: &[&str],
    ) -> Self {
        let known = known.iter().map(|known| format!("`{known}`")).collect::<Vec<_>>().join(" or ");
        // What stands before the colon may be anything, if the URL has another form.
        let scheme = scheme.chars().take_while(char::is_ascii_alphanumeric).take(16).collect();
        Self::UnknownScheme { file: file.to_owned(), field, scheme, known }
    }
}
