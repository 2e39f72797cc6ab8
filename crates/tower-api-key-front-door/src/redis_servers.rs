//! The servers of Redis that a file names.

use std::path::{Path, PathBuf};

use tower_api_key::ConfigError;
use tower_api_key::config::{LimiterSettings, RedisCertificates, SecretText};
use tower_api_key_redis::{RedisCredentials, RedisLimiter, RedisLimiterBuilder, RedisTls};

/// Starts the builder of a limiter, with its servers, login and certificates.
pub(crate) fn builder(
    settings: &LimiterSettings,
    file: &str,
) -> Result<RedisLimiterBuilder, ConfigError> {
    let mut builder = servers(settings)?;
    let path = |name: &str| -> PathBuf {
        let folder = Path::new(file).parent().unwrap_or(Path::new(""));
        folder.join(name)
    };
    if let Some(login) = &settings.login {
        let mut credentials = RedisCredentials::password_file(path(&login.password_file));
        if let Some(user) = &login.user {
            credentials = credentials.with_user(user);
        }
        builder = builder.credentials(credentials);
    }
    if let Some(certificates) = &settings.tls {
        builder = builder.tls(tls(certificates, path)?);
    }
    Ok(builder)
}

/// Starts the same builder, and names no file: to check a configuration where its files are not.
pub(crate) fn without_files(
    settings: &LimiterSettings,
) -> Result<RedisLimiterBuilder, ConfigError> {
    let builder = servers(settings)?;
    let Some(certificates) = &settings.tls else { return Ok(builder) };
    let contradiction = tls(certificates, |name: &str| PathBuf::from(name)).err();
    contradiction.map_or_else(|| Ok(builder.tls(RedisTls::new())), Err)
}

fn servers(settings: &LimiterSettings) -> Result<RedisLimiterBuilder, ConfigError> {
    let urls = || std::iter::once(&settings.url).chain(&settings.more_urls).map(SecretText::expose);
    match (settings.cluster, &settings.sentinel) {
        (true, Some(_)) => {
            Err(ConfigError::Redis("`cluster` and `sentinel` are set: remove one of them"))
        }
        (true, None) => Ok(RedisLimiter::cluster(urls())),
        (false, Some(service)) => Ok(RedisLimiter::sentinel(urls(), service)),
        (false, None) if !settings.more_urls.is_empty() => Err(ConfigError::Redis(
            "`more_urls` is set without `cluster` or `sentinel`: set one of them, or remove `more_urls`",
        )),
        (false, None) => Ok(RedisLimiter::builder(settings.url.expose())),
    }
}

fn tls(files: &RedisCertificates, path: impl Fn(&str) -> PathBuf) -> Result<RedisTls, ConfigError> {
    let mut tls = RedisTls::new();
    if let Some(ca) = &files.ca_file {
        tls = tls.ca_file(path(ca));
    }
    match (&files.certificate_file, &files.key_file) {
        (Some(certificate), Some(key)) => {
            Ok(tls.client_certificate_files(path(certificate), path(key)))
        }
        (None, None) => Ok(tls),
        _ => Err(ConfigError::Redis(
            "`tls` has one of `certificate_file` and `key_file`: set both of them, or remove both",
        )),
    }
}

#[cfg(test)]
mod tests {
    use tower_api_key::config::{FileFormat, FrontDoor};

    use super::*;

    /// Returns the error of a table `[limiter]`.
    fn error(limiter: &str) -> Option<String> {
        let file = format!("[profile]\nbase = \"persona\"\n[limiter]\n{limiter}\n");
        let door = FrontDoor::parse("gate.toml", &file, FileFormat::Toml).unwrap();
        let builder = builder(door.limiter().unwrap(), "/no/such/folder/gate.toml");
        builder.and_then(RedisLimiterBuilder::build).err().map(|error| error.to_string())
    }

    #[test]
    fn contradictions_of_a_file_are_found() {
        for (limiter, expected) in [
            ("url = \"redis://a\"", None),
            ("url = \"rediss://a\"", None),
            ("url = \"unix:///run/redis.sock\"", None),
            ("url = \"redis://a\"\nmore_urls = [\"redis://b\"]\ncluster = true", None),
            ("url = \"redis://a\"\nmore_urls = [\"redis://b\"]\nsentinel = \"limits\"", None),
            ("url = \"redis://a\"\nmore_urls = [\"redis://b\"]", Some("`more_urls`")),
            ("url = \"redis://a\"\ncluster = true\nsentinel = \"a\"", Some("remove one")),
            ("url = \"redis://a\"\nlogin.password_file = \"password\"", None),
            ("url = \"redis://a\"\ntls = {}", Some("rediss://")),
            ("url = \"rediss://a\"\ntls = {}", None),
            ("url = \"rediss://a\"\ntls.key_file = \"key\"", Some("`certificate_file`")),
            ("url = \"rediss://a\"\ntls.ca_file = \"ca.pem\"", Some("cannot be read")),
        ] {
            match (error(limiter), expected) {
                (None, None) => {}
                (Some(error), Some(expected)) => assert!(error.contains(expected), "{error}"),
                (error, expected) => panic!("{limiter}: {error:?}, {expected:?}"),
            }
        }
    }
}
