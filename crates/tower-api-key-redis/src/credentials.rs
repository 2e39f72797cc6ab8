//! The user and password of new connections.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use super::failure::Failure;
use super::unreachable::Cause;

/// The user and password with which the limiter logs in.
///
/// The limiter reads them again for each new connection, so a password can be rotated while the program runs. A
/// connection that is up stays logged in. If the server closes it, or refuses its user from then on, the limiter makes
/// another connection.
///
/// ```
/// use tower_api_key_redis::{RedisCredentials, RedisLimiter};
///
/// let limiter = RedisLimiter::builder("redis://10.0.0.7")
///     .credentials(RedisCredentials::password_file("/run/secrets/redis").with_user("limiter"))
///     .build()?;
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct RedisCredentials {
    user: Option<String>,
    source: PasswordSource,
}

#[derive(Clone)]
enum PasswordSource {
    Fixed(SecretString),
    File(PathBuf),
    Function(CredentialsFunction),
}

type CredentialsFunction =
    Arc<dyn Fn() -> Result<RedisCredentials, Box<dyn Error + Send + Sync>> + Send + Sync>;

impl RedisCredentials {
    /// Creates credentials with a password that stays the same.
    pub fn password(password: impl Into<String>) -> Self {
        Self::of(PasswordSource::Fixed(SecretString::from(password.into())))
    }

    /// Reads the password from a file, again for each new connection. A line break at the end is not part of it.
    pub fn password_file(path: impl AsRef<Path>) -> Self {
        Self::of(PasswordSource::File(path.as_ref().to_owned()))
    }

    /// Calls a function for each new connection, for example for a token that expires. The function may block, because
    /// it runs on a thread for blocking calls. It should return within a second, the time to make a connection. The
    /// operator sees its error, so the error must hold no secret.
    ///
    /// ```
    /// use tower_api_key_redis::{RedisCredentials, RedisLimiter};
    ///
    /// let limiter = RedisLimiter::builder("redis://10.0.0.7")
    ///     .credentials(RedisCredentials::from_fn(|| {
    ///         let token = std::env::var("REDIS_TOKEN")?;
    ///         Ok(RedisCredentials::password(token).with_user("limiter"))
    ///     }))
    ///     .build()?;
    /// # Ok::<(), tower_api_key::ConfigError>(())
    /// ```
    pub fn from_fn(
        credentials: impl Fn() -> Result<Self, Box<dyn Error + Send + Sync>> + Send + Sync + 'static,
    ) -> Self {
        Self::of(PasswordSource::Function(Arc::new(credentials)))
    }

    /// Sets the user of the server's ACL: the URL's unless set.
    #[must_use]
    pub fn with_user(mut self, user: impl Into<String>) -> Self {
        self.user = Some(user.into());
        self
    }

    const fn of(source: PasswordSource) -> Self {
        Self { user: None, source }
    }

    /// Returns the user, if one is set, and the password as they are now. This may block.
    pub(super) fn read(&self) -> Result<(Option<String>, SecretString), Failure> {
        let failed = |what, cause: Option<Cause>| Failure::Credentials(what, cause);
        match &self.source {
            PasswordSource::Fixed(password) => Ok((self.user.clone(), password.clone())),
            PasswordSource::File(path) => {
                let text = std::fs::read_to_string(path).map_err(|error| {
                    failed("the password file cannot be read", Some(Arc::new(error)))
                })?;
                let text = SecretString::from(text);
                let password = text.expose_secret().trim_end_matches(['\n', '\r']);
                if password.is_empty() {
                    return Err(failed("the password file is empty", None));
                }
                Ok((self.user.clone(), SecretString::from(password)))
            }
            PasswordSource::Function(function) => {
                let given = function().map_err(|error| {
                    failed("the function of `RedisCredentials::from_fn` failed", Some(error.into()))
                })?;
                if matches!(given.source, PasswordSource::Function(_)) {
                    let what = "the function of `RedisCredentials::from_fn` returned another one";
                    return Err(failed(what, None));
                }
                let (user, password) = given.read()?;
                Ok((user.or_else(|| self.user.clone()), password))
            }
        }
    }
}

impl fmt::Debug for RedisCredentials {
    /// Shows the user, and where the password comes from.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = match &self.source {
            PasswordSource::Fixed(_) => "password",
            PasswordSource::File(_) => "password_file",
            PasswordSource::Function(_) => "from_fn",
        };
        formatter
            .debug_struct("RedisCredentials")
            .field("user", &self.user)
            .field("source", &source)
            .finish_non_exhaustive()
    }
}
