//! Reads the URL of a PostgreSQL server.

use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::failure::{Failure, failed};
use super::inline::milliseconds;
use super::settings::Settings;
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

/// The parameter of other libraries that says that a pooler in transaction mode is there. sqlx does not know it.
const POOLER: &str = "pgbouncer";

/// What a URL says.
pub(super) struct Address {
    pub(super) options: PgConnectOptions,
    pub(super) behind_pooler: bool,
}

impl Address {
    /// Reads a URL.
    pub(super) fn read(url: &str) -> Result<Self, StoreError> {
        check_parameters(url).map_err(StoreError::new)?;
        let wrong = |what| Err(StoreError::new(Failure::Setting(what)));
        let parameters: Vec<_> = parameters(url).collect();
        let mut behind_pooler = false;
        for (_, value) in parameters.iter().filter(|(name, _)| *name == POOLER) {
            behind_pooler = match *value {
                "true" => true,
                "false" => false,
                _ => return wrong("the URL's `pgbouncer` must be `true` or `false`"),
            };
        }
        let options = PgConnectOptions::from_str(&without_pooler(url)).map_err(failed)?;
        if matches!(options.get_ssl_mode(), PgSslMode::Allow) {
            return wrong(
                "`sslmode=allow` (of the URL or of PGSSLMODE) never encrypts here: write `require` or \
                 `verify-full`, or `disable` if the connection shall be plain text",
            );
        }
        let has = |names: &[&str]| parameters.iter().any(|(name, _)| names.contains(name));
        let verifies =
            matches!(options.get_ssl_mode(), PgSslMode::VerifyCa | PgSslMode::VerifyFull);
        if has(&["sslrootcert", "ssl-root-cert", "ssl-ca"]) && !verifies {
            return wrong(
                "the URL's `sslrootcert` proves nothing without `sslmode=verify-full` (or `verify-ca`): set one",
            );
        }
        if has(&["sslcert", "ssl-cert"]) != has(&["sslkey", "ssl-key"]) {
            return wrong("the URL needs both `sslcert` and `sslkey`, or neither");
        }
        Ok(Self { options, behind_pooler })
    }

    /// Returns how a pool connects. The server enforces the limit of a lookup, too: otherwise a query
    /// whose caller gave up keeps a connection of the server. It compiles no query: a list that takes some milliseconds
    /// may look costly to the planner, and would be compiled for a second.
    pub(super) fn for_pool(self, settings: &Settings) -> PgConnectOptions {
        if settings.behind_pooler {
            // PgBouncer refuses parameters of a session that it cannot hand on.
            return self.options.extra_float_digits(None);
        }
        let limit = milliseconds(settings.lookup_timeout).to_string();
        let defaults = [("statement_timeout", limit.as_str()), ("jit", "off")];
        defaults.into_iter().fold(self.options, |options, (name, value)| {
            let is_set = options.get_options().is_some_and(|options| options.contains(name));
            if is_set { options } else { options.options([(name, value)]) }
        })
    }
}

/// Returns the names and values of a URL's parameters, as they are written.
fn parameters(url: &str) -> impl Iterator<Item = (&str, &str)> {
    let before_fragment = url.split('#').next().unwrap_or_default();
    let (_, query) = before_fragment.split_once('?').unwrap_or_default();
    query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

fn without_pooler(url: &str) -> String {
    let Some((before, query)) = url.split_once('?') else { return url.to_owned() };
    let (query, fragment) = query.split_once('#').unwrap_or((query, ""));
    let is_other = |pair: &&str| pair.split('=').next() != Some(POOLER);
    let others: Vec<_> = query.split('&').filter(is_other).collect();
    format!("{before}?{}#{fragment}", others.join("&"))
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
    if name == POOLER {
        return true;
    }
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
    fn the_server_enforces_the_limit_of_a_lookup_and_compiles_nothing_unless_the_url_says_so() {
        let options = |query: &str, behind_pooler| {
            let address = Address::read(&format!("postgres://db.example/keys{query}")).unwrap();
            let settings = Settings { behind_pooler, ..Settings::default() };
            address.for_pool(&settings).get_options().map(str::to_owned)
        };
        assert_eq!(options("", false).as_deref(), Some("-c statement_timeout=2000 -c jit=off"));
        let own = "?options=-c%20statement_timeout%3D7s";
        assert_eq!(options(own, false).as_deref(), Some("-c statement_timeout=7s -c jit=off"));
        let own = "?options=-c%20jit%3Don";
        assert_eq!(options(own, false).as_deref(), Some("-c jit=on -c statement_timeout=2000"));
        assert_eq!(options("", true), None, "a pooler takes no such parameter");
    }

    #[test]
    fn a_mode_that_would_never_encrypt_is_refused() {
        for name in ["sslmode", "ssl-mode"] {
            let read = |mode| Address::read(&format!("postgres://db.example/keys?{name}={mode}"));
            let told = read("allow").err().unwrap().to_string();
            assert!(told.contains("never encrypts") && told.contains("`require`"), "{told}");
            for mode in ["disable", "prefer", "require", "verify-ca", "verify-full"] {
                assert!(read(mode).is_ok(), "{mode}");
            }
        }
    }

    #[test]
    fn a_pooler_in_the_url_is_read_and_not_passed_on() {
        for (query, expected) in [
            ("", false),
            ("?pgbouncer=false", false),
            ("?pgbouncer=true", true),
            ("?sslmode=require&pgbouncer=true&user=ada#pgbouncer=false", true),
        ] {
            let url = format!("postgres://db.example/keys{query}");
            assert_eq!(Address::read(&url).unwrap().behind_pooler, expected, "{query}");
            assert!(!without_pooler(&url).split('#').next().unwrap().contains("pgbouncer"));
        }
        let address = Address::read("postgres://db/x?user=ada&pgbouncer=true").unwrap();
        assert_eq!(address.options.get_username(), "ada");
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
