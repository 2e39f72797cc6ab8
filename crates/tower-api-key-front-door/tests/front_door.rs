//! Front doors from real files, over a real database, and what a reload keeps.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tempfile::TempDir;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::Grant;
use tower_api_key::key::{Account, Issuer, KeyFormat, KeyHasher, KeyRecord};
use tower_api_key::request::Connection;
use tower_api_key::store::{KeyManager, NewKey};
use tower_api_key_front_door::{LiveFrontDoor, OpenError};
use tower_api_key_sqlx::SqlStore;

/// A front door's file, the folder that it is in, and a key of its store.
struct Files {
    folder: TempDir,
    key: String,
}

impl Files {
    async fn new(file: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("keys.db").display());
        let store = SqlStore::builder(&url).create_if_missing(true).connect().await.unwrap();
        let issued =
            Issuer::new(KeyFormat::STANDARD, KeyHasher::sha256()).issue(Some("live")).unwrap();
        let account = Account::builder("acme").build().unwrap();
        let record = KeyRecord::builder("key_1", account);
        store.add(NewKey::issued(&issued, record).unwrap(), "test").await.unwrap();
        std::fs::write(folder.path().join("url"), format!("{url}\n")).unwrap();
        let key = issued.expose().to_owned();
        let files = Self { folder, key };
        files.write(file);
        files
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("gate.toml")
    }

    fn write(&self, file: &str) {
        std::fs::write(self.path(), file).unwrap();
    }

    async fn status<T: Send + Sync + 'static>(&self, door: &LiveFrontDoor<T>) -> StatusCode {
        let service = door.layer().layer(service_fn(|request: Request<Full<Bytes>>| async move {
            assert!(request.extensions().get::<Grant>().is_some());
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        }));
        let mut request = Request::get("/users").body(Full::default()).unwrap();
        request
            .headers_mut()
            .insert("authorization", format!("Bearer {}", self.key).parse().unwrap());
        request.extensions_mut().insert(Connection::tls("192.0.2.1:4711".parse().unwrap()));
        service.oneshot(request).await.unwrap().status()
    }
}

/// A front door with a limit of requests in an hour.
fn limited(limit: u32) -> String {
    format!(
        r#"
        [profile]
        base = "standard"
        quotas = [{{ name = "hour", limit = {limit}, window = "1h" }}]

        [store]
        url = {{ file = "url" }}
        cache = {{ staleness = "1s" }}

        [limiter]
        url = "memory:"
        "#
    )
}

#[tokio::test]
async fn a_file_opens_a_database_and_keeps_its_counts_when_a_limit_changes() {
    let files = Files::new(&limited(2)).await;
    let door = LiveFrontDoor::open(files.path()).await.unwrap();
    let store = door.store().await;
    assert_eq!(files.status(&door).await, 200);
    assert_eq!(files.status(&door).await, 200);
    assert_eq!(files.status(&door).await, 429);

    assert!(!door.reload().await.unwrap(), "nothing changed");
    files.write(&(limited(2) + "# a comment\n"));
    assert!(!door.reload().await.unwrap(), "a comment changes nothing");

    files.write(&limited(3));
    assert!(door.reload().await.unwrap());
    assert_eq!(files.status(&door).await, 200, "two of three are used");
    assert_eq!(files.status(&door).await, 429);
    assert!(Arc::ptr_eq(&store, &door.store().await), "the store and its cache are the same");
}

#[tokio::test]
async fn another_limiter_or_store_is_opened_anew() {
    let files = Files::new(&limited(1)).await;
    let door = LiveFrontDoor::open(files.path()).await.unwrap();
    assert_eq!(files.status(&door).await, 200);
    let store = door.store().await;
    files.write(&limited(1).replace("\"memory:\"", "\"memory:other\""));
    assert!(door.reload().await.unwrap());
    assert_eq!(files.status(&door).await, 200, "another limiter has counted nothing");
    files.write(&limited(1).replace("\"1s\"", "\"2s\""));
    assert!(door.reload().await.unwrap());
    assert!(!Arc::ptr_eq(&store, &door.store().await), "another cache");
    assert_eq!(files.status(&door).await, 200);
}

#[tokio::test]
async fn a_broken_file_keeps_the_front_door_that_serves() {
    let files = Files::new(&limited(99)).await;
    let door = LiveFrontDoor::open(files.path()).await.unwrap();
    let lost = files.folder.path().join("lost").join("keys.db");
    let elsewhere = format!("\"sqlite:{}\"", lost.display());
    for (broken, words) in [
        (limited(0), &["profile.quotas[0]", "limit"][..]),
        (limited(99).replace("[store]", "[stroe]"), &["`stroe`", "did you mean `store`?"]),
        (limited(99).replace("\"memory:\"", "\"memory://\" x"), &["gate.toml:11:"]),
        (
            limited(99).replace("\"memory:\"", "\"ftp://me:hunter2@host\""),
            &["`limiter.url`", "`ftp`", "`memory:`"],
        ),
        (limited(99).replace("{ file = \"url\" }", &elsewhere), &["`[store]` does not open"]),
        (
            limited(99).replace("file = \"url\"", "file = \"urls\""),
            &["`store.url`", "the file cannot be read"],
        ),
        (limited(99).replace("[store]", "[other]"), &["`other`"]),
        // The store knows what belongs to PostgreSQL alone.
        (
            limited(99)
                .replace("[store]", "[store]\nlisten_url = \"postgres://me:hunter2@host/keys\""),
            &["`store`", "gate.toml:", "`listen_url`"],
        ),
        (limited(99).replace("[store]", "[store]\nbehind_pooler = true"), &["`behind_pooler`"]),
        (limited(99).replace("[store]", "[store]\nmax_lag = \"2s\""), &["`max_lag`"]),
        (limited(99).replace("[store]", "[store]\nmax_lifetime = \"2\""), &["max_lifetime"]),
    ] {
        files.write(&broken);
        let error = door.reload().await.unwrap_err().to_string();
        for word in words {
            assert!(error.contains(word), "{word}: {error}");
        }
        assert!(!error.contains("hunter2") && !error.contains("keys.db"), "{error}");
        assert_eq!(files.status(&door).await, 200, "{error}");
    }
    std::fs::remove_file(files.path()).unwrap();
    assert!(matches!(door.reload().await, Err(OpenError::File(_))));
    assert_eq!(files.status(&door).await, 200);
}

#[tokio::test]
async fn a_front_door_needs_a_store() {
    let files = Files::new("profile.base = \"standard\"\n").await;
    let error = LiveFrontDoor::open(files.path()).await.unwrap_err();
    assert!(matches!(error, OpenError::NoStore { .. }), "{error}");
}

#[derive(Debug, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Server {
    port: u16,
}

#[tokio::test]
async fn the_program_has_a_table_of_its_own() {
    use tower_api_key::config::SectionMistake;

    let file = |server: &str| format!("{}\n[server]\n{server}\n", limited(9));
    let open = |path: PathBuf| {
        LiveFrontDoor::open_with(path, "server", |server: &Server| match server.port {
            0 => Err(SectionMistake::new("port", "write a port from 1")),
            _ => Ok(()),
        })
    };
    let files = Files::new(&file("port = 8080")).await;
    let door = open(files.path()).await.unwrap();
    assert_eq!(*door.settings(), Server { port: 8080 });
    assert_eq!(files.status(&door).await, 200);
    files.write(&file("port = 8081"));
    assert!(!door.reload().await.unwrap(), "the front door is the same");
    assert_eq!(*door.settings(), Server { port: 8081 });
    for (server, field) in
        [("port = 0", "server.port"), ("prt = 1", "server.prt"), ("port = 65536", "server.port")]
    {
        files.write(&file(server));
        let Err(OpenError::File(error)) = door.reload().await else { panic!("{server}") };
        assert_eq!(error.mistakes()[0].field(), field, "{error}");
    }
    files.write(&limited(9));
    let error = door.reload().await.unwrap_err().to_string();
    assert!(error.contains("the field `server` is missing"), "{error}");
    assert_eq!(*door.settings(), Server { port: 8081 });
}

/// Replaces a file in one step.
fn replace(path: &Path, text: &str) {
    let next = path.with_extension("next");
    std::fs::write(&next, text).unwrap();
    std::fs::rename(next, path).unwrap();
}

#[tokio::test]
async fn a_watcher_takes_changes_over_once_they_are_settled() {
    let files = Files::new(&limited(1)).await;
    let door = LiveFrontDoor::open(files.path()).await.unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&told);
    let tell = move |result: Result<(), OpenError>| {
        heard.lock().unwrap().push(result.map_err(|e| e.to_string()));
    };
    let watcher = tokio::spawn(door.watch(Duration::from_millis(5), tell));
    let news = |number: usize| {
        let told = Arc::clone(&told);
        async move {
            while told.lock().unwrap().len() < number {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    };
    assert_eq!(files.status(&door).await, 200);
    assert_eq!(files.status(&door).await, 429);
    replace(&files.path(), &limited(2));
    news(1).await;
    assert_eq!(files.status(&door).await, 200);
    replace(&files.path(), "profile");
    news(2).await;
    assert_eq!(files.status(&door).await, 429, "the front door before serves");
    replace(&files.path(), &limited(3));
    news(3).await;
    assert_eq!(files.status(&door).await, 200);
    // What a file takes from another one is watched, too.
    let url = std::fs::read_to_string(files.folder.path().join("url")).unwrap();
    replace(&files.folder.path().join("url"), &format!("{}?mode=rw\n", url.trim()));
    news(4).await;
    watcher.abort();
    let told = told.lock().unwrap();
    assert!(told.iter().map(Result::is_ok).eq([true, false, true, true]), "{told:?}");
}

#[tokio::test]
async fn the_program_cannot_take_a_table_of_the_gate() {
    let files = Files::new(&limited(9)).await;
    for table in ["profile", "routes", "optional", "store", "$schema"] {
        let opened = LiveFrontDoor::open_with(files.path(), table, |_: &Server| Ok(())).await;
        let error = opened.unwrap_err().to_string();
        assert!(error.contains(&format!("the table `{table}` is the gate's own")), "{error}");
    }
}

#[tokio::test]
async fn a_check_that_panics_keeps_the_front_door_that_serves() {
    let file = |port: u16| format!("{}\n[server]\nport = {port}\n", limited(9));
    let files = Files::new(&file(1)).await;
    let check = |server: &Server| match server.port {
        0 => panic!("no port"),
        _ => Ok(()),
    };
    let door = LiveFrontDoor::open_with(files.path(), "server", check).await.unwrap();
    files.write(&file(0));
    assert!(matches!(door.reload().await, Err(OpenError::Interrupted { .. })));
    assert_eq!(files.status(&door).await, 200);
    files.write(&file(2));
    assert!(!door.reload().await.unwrap());
    assert_eq!(door.settings().port, 2);
}

/// The last reload to return has read last, whichever began first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reloads_at_once_end_with_the_last_file() {
    let files = Files::new(&limited(1)).await;
    let door = LiveFrontDoor::open(files.path()).await.unwrap();
    for limit in 2..30 {
        let first = tokio::spawn({
            let door = door.clone();
            async move { door.reload().await }
        });
        replace(&files.path(), &limited(limit));
        door.reload().await.unwrap();
        first.await.unwrap().unwrap();
        assert!(!door.reload().await.unwrap(), "{limit}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_pipe_is_refused_before_it_blocks() {
    let files = Files::new(&limited(9)).await;
    let door = LiveFrontDoor::open(files.path()).await.unwrap();
    let pipe = files.folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    files.write(&limited(9).replace("file = \"url\"", "file = \"pipe\""));
    let error = door.reload().await.unwrap_err().to_string();
    assert!(error.contains("`store.url`") && error.contains("regular file"), "{error}");
    let error = LiveFrontDoor::open(&pipe).await.unwrap_err().to_string();
    assert!(error.contains("regular file"), "{error}");
    let error = LiveFrontDoor::open("/dev/null").await.unwrap_err().to_string();
    assert!(error.contains("regular file"), "{error}");
}

#[tokio::test]
async fn no_part_of_a_url_without_a_scheme_is_shown() {
    let files = Files::new(&limited(9)).await;
    let door = LiveFrontDoor::open(files.path()).await.unwrap();
    files.write(&limited(9).replace("\"memory:\"", "\"hunter2:me@host\""));
    let error = door.reload().await.unwrap_err();
    assert!(matches!(error, OpenError::File(_)), "{error}");
    assert!(error.to_string().contains("no scheme that this program opens"), "{error}");
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[tokio::test]
async fn a_fingerprint_needs_no_valid_file() {
    use tower_api_key::config::FrontDoor;

    let file = |port: u16| format!("server = {{ port = {port} }}\n{}", limited(9));
    let files = Files::new(&file(1)).await;
    let fingerprint = || FrontDoor::fingerprint_of(files.path()).unwrap();
    let read = FrontDoor::read_with(files.path(), "server", |_: &Server| Ok(()));
    let before = read.unwrap().0.fingerprint();
    assert_eq!(before, fingerprint());
    files.write(&file(2));
    assert_ne!(before, fingerprint());
    files.write(&file(1).replace("[store]", "[stroe]"));
    assert_ne!(before, fingerprint());
    files.write(&file(1));
    std::fs::remove_file(files.folder.path().join("url")).unwrap();
    assert_ne!(before, fingerprint());
}

/// A front door whose keyring is followed by these former peppers.
fn peppered(former: &str) -> String {
    format!(
        r#"
        profile.base = "standard"
        without_limits = true

        [peppers]
        current = {{ name = "1", secret = "sixteen random b" }}
        former = [{former}]

        [store]
        url = {{ file = "url" }}
        cache = {{ staleness = "1s" }}
        "#
    )
}

#[tokio::test]
async fn a_file_with_a_keyring_gives_keys_in_use_its_pepper() {
    let files = Files::new(&peppered("")).await;
    let url = std::fs::read_to_string(files.folder.path().join("url")).unwrap();
    let database = SqlStore::connect(url.trim()).await.unwrap();
    let door = LiveFrontDoor::open(files.path()).await.unwrap();
    door.start().await;
    assert_eq!(files.status(&door).await, 401, "the key has no pepper");

    files.write(&peppered(r#"{ name = "none", without_pepper = true }"#));
    assert!(door.reload().await.unwrap());
    let pepper = async || {
        let secret = database.get("key_1").await.unwrap().unwrap().secrets.remove(0);
        secret.pepper.map(|pepper| pepper.to_string())
    };
    assert_eq!(pepper().await, None);
    let patience = std::time::Instant::now() + Duration::from_secs(30);
    while pepper().await.as_deref() != Some("1") {
        assert_eq!(files.status(&door).await, 200);
        assert!(std::time::Instant::now() < patience, "the key keeps no pepper");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    files.write(&peppered(""));
    assert!(door.reload().await.unwrap());
    assert_eq!(files.status(&door).await, 200, "the key has the current pepper");
}

#[tokio::test]
async fn a_table_that_this_build_does_not_run_is_refused() {
    let management = "management = { path = \"/manage\", operators = [\"staff\"] }";
    let console = "management = { path = \"/manage\", operators = [\"staff\"], console = {} }";
    // A table inside of another one is looked at if the other one is built.
    let (has_management, has_events) = (cfg!(feature = "management"), cfg!(feature = "events"));
    for (table, is_asked, is_built, field, feature) in [
        (management, true, has_management, "management", "management"),
        (console, has_management, cfg!(feature = "console"), "management.console", "console"),
        ("events = {}", true, has_events, "events", "events"),
        ("events = { log = true }", has_events, cfg!(feature = "tracing"), "events.log", "tracing"),
    ] {
        if !is_asked {
            continue;
        }
        let file =
            format!("{table}\nprofile.base = \"standard\"\nstore.url = {{ file = \"url\" }}\n");
        let files = Files::new(&file).await;
        let opened = LiveFrontDoor::open(files.path()).await;
        match opened {
            Ok(_) => assert!(is_built, "{table}"),
            Err(error @ OpenError::NotBuilt { .. }) => {
                let text = error.to_string();
                let named = [format!("`{field}`"), format!("the feature `{feature}`")];
                assert!(!is_built && named.iter().all(|part| text.contains(part)), "{text}");
            }
            Err(error) => panic!("{error}"),
        }
    }
}
