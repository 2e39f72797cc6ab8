//! What runs beside the requests: it starts when the program says so, a refused reload leaves it alone, and another file
//! takes it over at once.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use sqlx::SqlitePool;
use tempfile::TempDir;
use tower_api_key::config::SectionMistake;
use tower_api_key::key::{Account, KeyHasher, KeyRecord};
use tower_api_key::policy::{KeyPolicy, PolicySubject};
use tower_api_key::store::{Command, CommandOptions, KeyManager, NewKey, TrailFilter};
use tower_api_key_front_door::LiveFrontDoor;
use tower_api_key_sqlx::SqlStore;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Less than a lease lasts, and more than a busy machine needs.
const SOON: Duration = Duration::from_secs(20);

#[derive(Debug, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Server {
    port: u16,
}

/// A file, its database, and a look into its tables.
struct Place {
    folder: TempDir,
    look: SqlitePool,
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("keys.db").display());
        SqlStore::builder(&url).create_if_missing(true).connect().await.unwrap();
        let look = SqlitePool::connect(&url).await.unwrap();
        Self { folder, look }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("gate.toml")
    }

    /// Returns a file with these fields in its store, and these tables.
    fn file(&self, store: &str, tables: &str) -> String {
        let database = self.folder.path().join("keys.db");
        format!(
            "profile.base = \"standard\"\n[store]\nurl = \"sqlite:{}\"\n{store}\n{tables}\n",
            database.display()
        )
    }

    fn write(&self, file: &str) {
        fs::write(self.path(), file).unwrap();
    }

    /// Returns the holder of each lease that has not ended.
    async fn leases(&self) -> BTreeMap<String, String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        let leases: Vec<(String, String, i64)> =
            sqlx::query_as("SELECT name, holder, ends FROM tower_api_key_event_leases")
                .fetch_all(&self.look)
                .await
                .unwrap();
        let held = leases.into_iter().filter(|(_, _, ends)| u128::try_from(*ends).unwrap() > now);
        held.map(|(name, holder, _)| (name, holder)).collect()
    }

    /// Waits until leases of these names are held.
    async fn until_held(&self, names: &[&str]) -> BTreeMap<String, String> {
        let began = Instant::now();
        loop {
            let leases = self.leases().await;
            if leases.keys().eq(names) {
                return leases;
            }
            assert!(began.elapsed() < SOON, "{leases:?}, not {names:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn sinks(&self) -> i64 {
        let count = "SELECT COUNT(*) FROM tower_api_key_event_sinks";
        sqlx::query_scalar(count).fetch_one(&self.look).await.unwrap()
    }
}

/// Returns a webhook at an address that nothing listens to.
fn webhook(name: &str) -> String {
    format!(
        "[[webhooks]]\nname = \"{name}\"\nurl = \"http://127.0.0.1:9/\"\nsecret = \"{SECRET}\"\n\
         insecure_allow_http = true\ninsecure_allow_private_addresses = true\n"
    )
}

#[tokio::test]
async fn a_file_that_is_only_checked_starts_nothing() {
    let place = Place::new().await;
    let tables = format!("[events]\n{}", webhook("a"));
    place.write(&place.file("", &tables));
    let door = LiveFrontDoor::open(place.path()).await.unwrap();
    // A reload before the start starts nothing either.
    place.write(&place.file("", &format!("{tables}{}", webhook("b"))));
    assert!(door.reload().await.unwrap());
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!((place.leases().await, place.sinks().await), (BTreeMap::new(), 0));

    door.start().await;
    let held = place.until_held(&["deliver a", "deliver b", "sweep"]).await;
    door.start().await;
    assert_eq!(place.leases().await, held, "it runs once");
    door.stop().await;
    assert_eq!(place.leases().await, BTreeMap::new(), "no other process has to wait");
    door.start().await;
    place.until_held(&["deliver a", "deliver b", "sweep"]).await;
}

#[tokio::test]
async fn a_refused_reload_changes_nothing() {
    let place = Place::new().await;
    let server = "[server]\nport = 1\n";
    let management =
        "[management]\npath = \"/manage\"\noperators = [\"staff\"]\n[management.console]\n";
    let before = place.file("", &format!("[events]\n{}{management}{server}", webhook("a")));
    place.write(&before);
    let check = |server: &Server| match server.port {
        0 => Err(SectionMistake::new("port", "write one from 1")),
        _ => Ok(()),
    };
    let door = LiveFrontDoor::<Server>::builder(place.path(), "server")
        .check(check)
        .check_file(|door, server| {
            let is_served = door.management().is_none_or(|table| table.path != "/served");
            let mistake = || SectionMistake::new("management.path", "the program serves this path");
            let is_fine = is_served || server.port != 1;
            if is_fine { Vec::new() } else { vec![mistake()] }
        })
        .open()
        .await
        .unwrap();
    door.start().await;
    let held = place.until_held(&["deliver a", "policies", "sweep"]).await;
    let (store, settings) = (door.store().await, door.settings());

    // Each of these files also has another webhook, other events and another path of management.
    let after = |store: &str, more: &str| {
        let tables = format!(
            "[events]\ninterval = \"1h\"\nalarms_only = true\n{}{}{server}{more}",
            webhook("b"),
            management.replace("/manage", "/other"),
        );
        place.file(store, &tables)
    };
    let lost = place.folder.path().join("lost").join("keys.db");
    for (file, words) in [
        ("profile".to_owned(), "gate.toml:1:"),
        (after("", "").replace("port = 1", "port = 0"), "`server.port`"),
        (after("", "").replace("/other", "/served"), "gate.toml:15:"),
        (after("", "").replace("/other", "/served"), "the program serves this path"),
        (
            after("", "").replace("operators = [\"staff\"]", "operators = []"),
            "`management.operators`",
        ),
        (after("", "").replace("127.0.0.1:9", "me:hunter2@host"), "`webhooks[0].url`"),
        (after("", "[limiter]\nurl = \"ftp://host\"\n"), "`limiter.url`"),
        (after("max_lag = \"2s\"", ""), "`max_lag`"),
        (
            after("", "").replace(
                &*place.folder.path().join("keys.db").display().to_string(),
                &lost.display().to_string(),
            ),
            "`[store]` does not open",
        ),
    ] {
        place.write(&file);
        let error = door.reload().await.unwrap_err().to_string();
        assert!(error.contains(words) && !error.contains("hunter2"), "{words}: {error}");
        assert_eq!(place.leases().await, held, "{error}");
        assert!(Arc::ptr_eq(&store, &door.store().await), "{error}");
        assert!(Arc::ptr_eq(&settings, &door.settings()), "{error}");
        let management = door.management().unwrap();
        assert!(management.takes("", "/manage") && !management.takes("", "/other"), "{error}");
    }

    // What the program refuses after it was prepared changes nothing either.
    place.write(&after("", ""));
    let prepared = door.prepare_reload().await.unwrap();
    assert!(prepared.is_changed() && prepared.management().unwrap().takes("", "/other"));
    drop(prepared);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!((place.leases().await, place.sinks().await), (held, 1));
    assert!(door.management().unwrap().takes("", "/manage"));
    assert!(door.prepare_reload().await.unwrap().take().await);
    place.until_held(&["deliver b", "policies", "sweep"]).await;
    assert!(door.management().unwrap().takes("", "/other"));
}

#[tokio::test]
async fn another_store_or_other_events_wait_for_no_lease() {
    let place = Place::new().await;
    let (events, others) = ("[events]\n", "[events]\ninterval = \"1h\"\n");
    let names = ["deliver a", "sweep"];
    place.write(&place.file("", &format!("{events}{}", webhook("a"))));
    let door = LiveFrontDoor::open(place.path()).await.unwrap();
    door.start().await;
    let mut before = place.until_held(&names).await;
    for (store, events) in [("", others), ("max_connections = 3", others), ("cache = {}", events)] {
        place.write(&place.file(store, &format!("{events}{}", webhook("a"))));
        assert!(door.reload().await.unwrap());
        let began = Instant::now();
        loop {
            let held = place.leases().await;
            // A sweep of other events has a holder of its own. A delivery to the same database may keep its holder.
            if held.keys().eq(&names) && held["sweep"] != before["sweep"] {
                before = held;
                break;
            }
            assert!(began.elapsed() < SOON, "{store} {events}: {held:?} after {before:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    // Without events, nothing runs any more.
    place.write(&place.file("", ""));
    assert!(door.reload().await.unwrap());
    assert_eq!(place.leases().await, BTreeMap::new());
}

/// People set policies over HTTP or on a page. Their rules of time then hold without a program beside.
#[tokio::test]
async fn policies_are_swept_where_a_file_has_management() {
    let place = Place::new().await;
    let url = format!("sqlite:{}", place.folder.path().join("keys.db").display());
    let store = SqlStore::connect(&url).await.unwrap();
    let acme = Account::builder("acme").build().unwrap();
    let record = KeyRecord::builder("key_1", acme).build().unwrap();
    store.add(NewKey::new(KeyHasher::sha256().digest(b"a"), record), "test").await.unwrap();
    let policy = KeyPolicy::builder(PolicySubject::All).require_expiry().build().unwrap();
    store.apply(Command::SavePolicy(policy), CommandOptions::by("ada")).await.unwrap();
    let expires = async || store.get("key_1").await.unwrap().unwrap().record.expires();

    let management = "[management]\npath = \"/manage\"\noperators = [\"staff\"]\n";
    place.write(&place.file("", ""));
    let door = LiveFrontDoor::open(place.path()).await.unwrap();
    door.start().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!((expires().await, place.leases().await), (None, BTreeMap::new()));

    place.write(&place.file("", management));
    assert!(door.reload().await.unwrap());
    let began = Instant::now();
    while expires().await.is_none() {
        assert!(began.elapsed() < SOON, "no sweep came");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let trail = store.trail(&TrailFilter::default(), None, 1).await.unwrap();
    assert_eq!(trail[0].by, "policy");
    let held = place.until_held(&["policies"]).await;

    // Another path of management goes on with the same sweep, and the end gives its lease up.
    place.write(&place.file("", &management.replace("/manage", "/other")));
    assert!(door.reload().await.unwrap());
    assert_eq!(place.leases().await, held);
    door.stop().await;
    assert_eq!(place.leases().await, BTreeMap::new());
}
