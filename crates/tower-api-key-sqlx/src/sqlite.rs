//! Opens SQLite: one file, or one database in memory.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::Path;
use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Sqlite};

use super::driver::{Pool, driver};
use super::failure::{Failure, failed};
use super::loan::{Lender, Terms};
use super::settings::{MOST_LOCAL, Settings};
use tower_api_key::store::StoreError;

driver!(Sqlite, SqliteRow, remote: false);

/// How long a writer waits for a writer of another process.
const BUSY: Duration = Duration::from_secs(5);

/// The rows that SQLite's thread reads ahead. With few, the two threads wait for each other often while a replica copies
/// all keys.
const ROWS_AHEAD: usize = 1_024;

/// The database that a URL names.
struct SqliteFile {
    options: SqliteConnectOptions,
    in_memory: bool,
    creates: bool,
}

/// Opens the database that a URL names.
pub(super) async fn open(url: &str, settings: &Settings) -> Result<Arc<dyn Pool>, StoreError> {
    let place = place(url)?;
    let mut pool = SqlitePoolOptions::new()
        .max_connections(settings.max_connections.unwrap_or(MOST_LOCAL))
        .acquire_timeout(settings.pool_timeout())
        // Saves a round trip per lookup. A broken connection is replaced when a statement fails.
        .test_before_acquire(false);
    let mut anchor = None;
    if place.in_memory {
        // SQLite drops a database in memory with its last connection, so one stays open outside of the pool.
        pool = pool.max_connections(1);
        let first = place.options.connect().await.map_err(failed)?;
        anchor = Some(Box::new(Mutex::new(first)) as _);
    } else if place.creates || settings.creates {
        create(place.options.get_filename())?;
    } else if !place.options.get_filename().exists() {
        return Err(StoreError::new(Failure::NoFile));
    }
    let pool = pool.connect_lazy_with(place.options);
    Ok(Arc::new(Lender::new(pool, Terms::new(settings)).anchored(anchor)))
}

/// Checks a URL.
pub(super) fn check(url: &str) -> Result<(), StoreError> {
    place(url).map(|_| ())
}

/// Reads a URL. The text between `sqlite:` and `?` is the path, without any decoding.
fn place(url: &str) -> Result<SqliteFile, StoreError> {
    let rest = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"));
    let rest = rest.ok_or_else(|| StoreError::new(Failure::UnknownUrl))?;
    let (path, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let has = |wanted: &str| parameters.split('&').any(|parameter| parameter == wanted);
    let in_memory = path == ":memory:" || has("mode=memory");
    if path.is_empty() && !in_memory {
        return Err(StoreError::new(Failure::NoPath));
    }
    // sqlx would decode the path, so it gets another name, which is replaced below.
    let named = if path == ":memory:" { path } else { "x" };
    let options = SqliteConnectOptions::from_str(&format!("sqlite:{named}?{parameters}"));
    let mut options = options.map_err(failed)?;
    if path != ":memory:" {
        // SQLite itself reads `file:` as the start of a URI and would decode it.
        let uri = path.starts_with("file:") && !in_memory;
        options = if uri { options.filename(format!("./{path}")) } else { options.filename(path) };
    }
    options = options.foreign_keys(true).busy_timeout(BUSY).create_if_missing(in_memory);
    options = options.row_buffer_size(ROWS_AHEAD);
    if in_memory {
        options = options.shared_cache(true);
    } else if !has("mode=ro") && !parameters.contains("immutable") {
        options = options.journal_mode(SqliteJournalMode::Wal);
        options = options.synchronous(SqliteSynchronous::Normal);
    }
    Ok(SqliteFile { options, in_memory, creates: has("mode=rwc") })
}

/// Creates the file if it is missing. It holds digests and names, so only its owner may read it. SQLite gives
/// the files beside it the same mode.
fn create(path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let made = match options.open(path) {
        // A symbolic link to a missing file.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && !path.exists() => {
            options.create_new(false).create(true).open(path)
        }
        made => made,
    };
    match made {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(StoreError::new(Failure::NotCreated(error))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_to_the_letter() {
        for (url, path) in [
            ("sqlite:/srv/a%41b/keys.db", "/srv/a%41b/keys.db"),
            ("sqlite:///srv/keys.db?mode=rwc", "/srv/keys.db"),
            ("sqlite://keys.db", "keys.db"),
            ("sqlite:a b#c%zz%20.db?mode=ro", "a b#c%zz%20.db"),
            ("sqlite:file:%41.db", "./file:%41.db"),
            ("sqlite:+.db", "+.db"),
        ] {
            let place = place(url).unwrap();
            assert_eq!(place.options.get_filename(), Path::new(path), "{url}");
            assert!(!place.in_memory);
            assert_eq!(place.creates, url.ends_with("rwc"), "{url}");
        }
        for url in ["sqlite::memory:", "sqlite://:memory:", "sqlite:x?mode=memory&cache=private"] {
            assert!(place(url).unwrap().in_memory, "{url}");
        }
        for url in ["sqlite:", "sqlite://", "sqlite:?mode=rwc", "sqlite:keys.db?mod=ro"] {
            assert!(place(url).is_err(), "{url}");
        }
    }
}
