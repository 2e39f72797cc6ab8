//! Opens PostgreSQL.

use std::str::FromStr;
use std::sync::Arc;

use sqlx::Postgres;
use sqlx::postgres::{PgConnectOptions, PgRow};

use super::driver::{Pool, driver};
use super::failure::{Failure, failed};
use super::own_pool::OwnPool;
use super::settings::{MOST_REMOTE, Settings};
use tower_api_key::store::StoreError;

/// The parameters of a URL that sqlx knows, except `options[NAME]`.
const PARAMETERS: [&str; 18] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];

/// The most characters of an unknown parameter's name that an error shows.
const LONGEST_NAME: usize = 32;

driver!(Postgres, PgRow, remote: true);

/// Returns a pool for the URL. It connects when a connection is needed.
pub(super) fn open(url: &str, settings: &Settings) -> Result<Arc<dyn Pool>, StoreError> {
    check_parameters(url).map_err(StoreError::new)?;
    let options = PgConnectOptions::from_str(url).map_err(failed)?;
    let size = settings.max_connections.unwrap_or(MOST_REMOTE);
    let pool = OwnPool::<Postgres>::new(options, settings, size)?;
    pool.close_idle_ones();
    Ok(Arc::new(pool))
}

/// Refuses parameters that sqlx does not know. It would log them with their values, and a value may be a password.
fn check_parameters(url: &str) -> Result<(), Failure> {
    let before_fragment = url.split('#').next().unwrap_or_default();
    let (_, query) = before_fragment.split_once('?').unwrap_or_default();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut pairs = pairs.map(|pair| pair.split_once('=').map_or((pair, false), |it| (it.0, true)));
    // Names are compared as they are written. One that is spelled with percent-encoding is refused, too.
    let Some((name, has_value)) = pairs.find(|(name, _)| !is_known(name)) else { return Ok(()) };
    // Behind an unencoded `?`, a password ends in what looks like a name.
    let is_word = |name: &str| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let shown = if has_value && !name.is_empty() && is_word(name) {
        format!(" `{}`", name.get(..LONGEST_NAME).unwrap_or(name))
    } else {
        String::new()
    };
    Err(Failure::UnknownParameter(shown))
}

fn is_known(name: &str) -> bool {
    let is_option = ["options[", "options%5B", "options%5b"].iter().any(|it| name.starts_with(it));
    is_option || PARAMETERS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an error shows of an unknown parameter; `None` if all are known.
    fn shown(url: &str) -> Option<String> {
        let error = check_parameters(url).err()?;
        let text = error.to_string();
        assert!(
            text.starts_with("the PostgreSQL URL has an unknown parameter")
                && !text.contains("hunter")
        );
        let Failure::UnknownParameter(shown) = error else { panic!("{text}") };
        Some(shown)
    }

    #[test]
    fn an_unknown_parameter_is_refused_without_its_value() {
        for (query, expected) in [
            ("", None),
            ("?", None),
            ("?sslmode=require&&application_name=gate&host=/run", None),
            ("?options=-c%20a=b&options[search_path]=keys&options%5Ba%5D=b", None),
            ("?sslmode=require#?pasword=hunter2", None),
            ("?pasword=hunter2", Some(" `pasword`")),
            ("?sslmode=require&pasword=hunter2", Some(" `pasword`")),
            ("?channel_binding=require", Some(" `channel_binding`")),
            ("?=hunter2", Some("")),
            ("?hunter", Some("")),
            ("?hunter2@db.example/keys", Some("")),
            ("?hunter2=@db.example/keys", Some("")),
            ("?a?password=hunter2", Some("")),
            ("?passwor%64=hunter2", Some("")),
            ("?Password=hunter2", Some("")),
            ("?password\t=hunter2", Some("")),
        ] {
            let found = shown(&format!("postgres://ada@db.example/keys{query}"));
            assert_eq!(found.as_deref(), expected, "{query}");
        }
        let long = format!("postgres://ada@db.example/keys?{}=hunter2", "a".repeat(40));
        assert_eq!(shown(&long), Some(format!(" `{}`", "a".repeat(32))));
    }

    #[test]
    fn sqlx_knows_each_parameter() {
        // sqlx does not say which it ignores, but its options differ for those that it reads.
        for name in PARAMETERS {
            let value = match name {
                "sslmode" | "ssl-mode" => "require",
                "port" | "statement-cache-capacity" => "7",
                "hostaddr" => "192.0.2.7",
                _ => "other",
            };
            let options = |query: &str| {
                let url = format!("postgres://ada@db.example/keys{query}");
                format!("{:?}", PgConnectOptions::from_str(&url).unwrap())
            };
            assert_ne!(options(""), options(&format!("?{name}={value}")), "{name}");
        }
    }
}
