//! A cache that knows that it is up to date: it reads each record once, and keeps its promise in every fault.

use std::collections::HashSet;
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tower_api_key::Reply;
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::key::{Account, AccountId, KeyDigest, KeyRecord, PepperName, SharedRecord};
use tower_api_key::store::{
    Cached, Invalidation, Invalidations, KeyManager, KeyStore, NewKey, PepperManager, Rehash,
    StoreError,
};
use tower_api_key_sqlx::SqlStore;

use crate::postgres::{Postgres, signal, url_at};
use crate::relay::Relay;
use crate::{digest, key};

const STALENESS: Duration = Duration::from_secs(1);
const PROOFS: Duration = Duration::from_millis(100);
/// What a busy machine may take for a thing that takes a millisecond.
const SLACK: Duration = Duration::from_millis(900);

/// Counts lookups.
#[derive(Clone)]
struct Counted {
    database: SqlStore,
    lookups: Arc<AtomicUsize>,
}

impl KeyStore for Counted {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        self.lookups.fetch_add(1, Ordering::SeqCst);
        self.database.find(digest)
    }
}

struct Node {
    cache: Cached<Counted>,
    lookups: Arc<AtomicUsize>,
}

impl Node {
    /// Starts a node over a database.
    async fn start(url: &str) -> Self {
        let database = SqlStore::builder(url).lookup_timeout(Duration::from_millis(500));
        let database = database.connect().await.unwrap();
        let lookups = Arc::new(AtomicUsize::new(0));
        let changes = database.invalidations().unwrap();
        let changes = changes.prove_every(PROOFS).probe_after(STALENESS);
        let counted = Counted { database, lookups: Arc::clone(&lookups) };
        let cache = Cached::builder(counted).staleness(STALENESS);
        let cache = cache.timeout(Duration::from_millis(500)).build();
        tokio::spawn(cache.listen(changes));
        // Until it listens, and has a proof.
        tokio::time::sleep(4 * PROOFS).await;
        Self { cache, lookups }
    }

    /// Returns whether a key serves, or an error if nobody could tell.
    async fn serves(&self, id: &str) -> Result<bool, ()> {
        let found = self.cache.find(&digest(id)).await.map_err(|_| ())?;
        Ok(found.is_some_and(|record| !record.is_revoked()))
    }

    fn lookups(&self) -> usize {
        self.lookups.load(Ordering::SeqCst)
    }

    /// Asks until a key does not serve; returns when the last request began that it served.
    async fn last_pass(&self, id: &str) -> Instant {
        let mut last = Instant::now();
        loop {
            let began = Instant::now();
            match self.serves(id).await {
                Ok(true) => last = began,
                Ok(false) => return last,
                Err(()) => {}
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hot_fleet_reads_each_record_once() {
    let Some(server) = Postgres::start() else { return };
    let database = SqlStore::connect(server.url()).await.unwrap();
    let ids: Vec<String> = (0..50).map(|number| format!("key_{number}")).collect();
    database.import(ids.iter().map(|id| key(id)).collect(), "test").await.unwrap();
    let node = Node::start(server.url()).await;
    let began = Instant::now();
    while began.elapsed() < 5 * STALENESS {
        for id in &ids {
            assert_eq!(node.serves(id).await, Ok(true));
        }
        assert_eq!(node.serves("unknown").await, Ok(false));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let lookups = node.lookups();
    println!("{lookups} lookups for 51 hot keys in {:?}", began.elapsed());
    // A machine that stood still for a second makes each record be read again.
    assert!(lookups < 3 * 51, "{lookups} lookups of 51 keys");
    // And what changes is read once more.
    database.revoke("key_7", "test").await.unwrap();
    let revoked = Instant::now();
    let late = node.last_pass("key_7").await.saturating_duration_since(revoked);
    assert!(late < SLACK, "{late:?}");
}

/// A pooler or a firewall may drop notifications, and leave the connection as it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_whose_notification_is_lost_is_found_by_the_next_proof() {
    let Some(server) = Postgres::start() else { return };
    let database = SqlStore::connect(server.url()).await.unwrap();
    let node = Node::start(server.url()).await;
    let pool = sqlx::PgPool::connect(server.url()).await.unwrap();
    for (name, change, action) in [
        ("revoked", "UPDATE tower_api_key_keys SET revoked = 1 WHERE id = 'ID'", "key_revoked"),
        ("deleted", "DELETE FROM tower_api_key_keys WHERE id = 'ID'", "key_deleted"),
        ("ended", "UPDATE tower_api_key_keys SET revoked = 1 WHERE id = 'ID'", "key_rotated"),
        ("off", "UPDATE tower_api_key_keys SET revoked = 1 WHERE id = 'ID'", "of a newer release"),
    ] {
        assert_eq!(node.serves(name).await, Ok(false), "it is known that there is none");
        database.add(key(name), "test").await.unwrap();
        while node.serves(name).await != Ok(true) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // Older than the staleness, and kept by proofs.
        tokio::time::sleep(STALENESS + 2 * PROOFS).await;
        let before = node.lookups();
        assert_eq!(node.serves(name).await, Ok(true));
        let change = change.replace("ID", name);
        let sql = format!(
            "BEGIN; LOCK TABLE tower_api_key_changes IN EXCLUSIVE MODE; {change}; \
             INSERT INTO tower_api_key_changes (at, author, action, key_id, account) \
             VALUES (0, 'test', '{action}', '{name}', 'acme'); COMMIT"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&pool).await.unwrap();
        let revoked = Instant::now();
        let late = node.last_pass(name).await.saturating_duration_since(revoked);
        assert!(late <= STALENESS, "{name}: {late:?}, after {before} lookups");
    }
}

/// Returns what is reported before the next proof.
async fn until_proven(changes: &mut impl Invalidations) -> Vec<Invalidation> {
    let mut reported = Vec::new();
    loop {
        match changes.next().await.unwrap() {
            Invalidation::UpToDate(_) => return reported,
            other => reported.push(other),
        }
    }
}

/// Waits until notices come: before that, everything may be reported as changed at any time.
async fn until_it_listens(changes: &mut impl Invalidations, pool: &sqlx::PgPool) {
    for number in 0.. {
        let account = format!("number_{number}");
        let notify = sqlx::query("SELECT pg_notify('tower_api_key', $1)");
        notify.bind(format!("account {account}")).execute(pool).await.unwrap();
        let sent = Invalidation::Account(AccountId::new(account).unwrap());
        if until_proven(changes).await.contains(&sent) {
            return;
        }
    }
}

/// Between two proofs, and without a notification, lines of the trail are pruned or replaced by others.
#[tokio::test]
async fn a_trail_that_does_not_follow_the_last_proof_makes_everything_unknown() {
    const LINE: &str =
        "INSERT INTO tower_api_key_changes (at, author, action, key_id, account) VALUES";
    const PRUNE: &str = "DELETE FROM tower_api_key_changes WHERE sequence < \
         (SELECT MAX(sequence) FROM tower_api_key_changes)";
    let Some(server) = Postgres::start() else { return };
    let database = SqlStore::connect(server.url()).await.unwrap();
    let pool = sqlx::PgPool::connect(server.url()).await.unwrap();
    let mut changes = database.invalidations().unwrap().prove_every(Duration::from_millis(10));
    until_it_listens(&mut changes, &pool).await;
    for (name, sql, expected) in [
        (
            "the first lines, and a prune",
            format!(
                "{LINE} (0, 'a', 'key_revoked', 'x', 'b'), (0, 'a', 'account_saved', NULL, 'c'); {PRUNE}"
            ),
            true,
        ),
        ("a line", format!("{LINE} (0, 'a', 'account_saved', NULL, 'c')"), false),
        ("a prune of what was seen before", PRUNE.to_owned(), false),
        (
            "lines, and a prune",
            format!(
                "{LINE} (0, 'a', 'key_revoked', 'x', 'b'), (0, 'a', 'account_saved', NULL, 'c'); {PRUNE}"
            ),
            true,
        ),
        (
            "lines, of which one in between is gone",
            format!(
                "{LINE} (0, 'a', 'account_saved', NULL, 'c'); \
                 INSERT INTO tower_api_key_changes (at, author, action, account, mark, previous) \
                 VALUES (0, 'a', 'account_saved', 'c', 71, 70)"
            ),
            true,
        ),
        ("another line in its place", "UPDATE tower_api_key_changes SET mark = 7".to_owned(), true),
        ("an empty trail", "DELETE FROM tower_api_key_changes".to_owned(), true),
    ] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&pool).await.unwrap();
        let reported = until_proven(&mut changes).await;
        assert_eq!(reported.contains(&Invalidation::Everything), expected, "{name}: {reported:?}");
        assert!(until_proven(&mut changes).await.is_empty(), "{name}");
    }
}

/// A new secret that was asked for before is known to be unknown.
#[tokio::test]
async fn an_action_that_may_add_a_secret_is_reported_as_that() {
    let Some(server) = Postgres::start() else { return };
    let database = SqlStore::connect(server.url()).await.unwrap();
    let pool = sqlx::PgPool::connect(server.url()).await.unwrap();
    let mut changes = database.invalidations().unwrap().prove_every(Duration::from_millis(10));
    database.add(key("key"), "test").await.unwrap();
    until_it_listens(&mut changes, &pool).await;
    let account = Invalidation::Account(AccountId::new("acme").unwrap());
    let secret = Invalidation::Secret(digest("key"));
    for (action, expected) in [
        ("key_added", vec![Invalidation::Added]),
        ("key_rotated", vec![account.clone(), Invalidation::Added]),
        ("of a newer release", vec![account.clone(), Invalidation::Added]),
        ("unknown", vec![account.clone(), Invalidation::Added]),
        ("key_updated", vec![secret.clone()]),
        ("key_revoked", vec![secret]),
        ("key_deleted", vec![account.clone()]),
        ("quota_refunded", Vec::new()),
        ("account_saved", vec![account]),
        ("policy_saved", vec![]),
        ("policy_deleted", vec![]),
    ] {
        let sql = format!(
            "INSERT INTO tower_api_key_changes (at, author, action, key_id, account) \
             VALUES (0, 'test', '{action}', 'key', 'acme')"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&pool).await.unwrap();
        assert_eq!(until_proven(&mut changes).await, expected, "{action}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_server_is_outlived_for_the_staleness_and_no_longer() {
    let Some(server) = Postgres::start() else { return };
    let database = SqlStore::connect(server.url()).await.unwrap();
    database.add(key("key"), "test").await.unwrap();
    let node = Node::start(server.url()).await;
    assert_eq!(node.serves("key").await, Ok(true));
    for _ in 0..2 {
        tokio::time::sleep(2 * STALENESS).await;
        assert_eq!(node.serves("key").await, Ok(true), "kept by proofs, or read again");
        server.freeze(true);
        let frozen = Instant::now();
        let mut last = frozen;
        while frozen.elapsed() < 2 * STALENESS {
            let began = Instant::now();
            if node.serves("key").await == Ok(true) {
                last = began;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(last - frozen <= STALENESS, "{:?} after it froze", last - frozen);
        server.freeze(false);
        let give_up = Instant::now() + 20 * STALENESS;
        while node.serves("key").await != Ok(true) {
            assert!(Instant::now() < give_up, "it does not come back");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// A connection of which nothing comes any more, while the database goes on for others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_with_half_open_connections_keeps_its_promise() {
    let Some(server) = Postgres::start() else { return };
    let database = SqlStore::connect(server.url()).await.unwrap();
    let ids: Vec<String> = (0..2).map(|number| format!("key_{number}")).collect();
    database.import(ids.iter().map(|id| key(id)).collect(), "test").await.unwrap();
    let relay = Relay::to(server.port()).await;
    let node = Node::start(&url_at(relay.port())).await;
    for (number, id) in ids.iter().enumerate() {
        let give_up = Instant::now() + 20 * STALENESS;
        while node.serves(id).await != Ok(true) {
            assert!(Instant::now() < give_up, "{id} does not serve");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(STALENESS + 3 * PROOFS).await;
        // All that there are, or all new ones, too.
        if number % 2 == 0 {
            relay.loses_connections();
        } else {
            relay.falls_silent(true);
        }
        database.revoke(id, "test").await.unwrap();
        let revoked = Instant::now();
        let last_pass = node.last_pass(id);
        let heal = async {
            tokio::time::sleep(2 * STALENESS).await;
            relay.falls_silent(false);
        };
        let (last, ()) = tokio::join!(last_pass, heal);
        let late = last.saturating_duration_since(revoked);
        assert!(late <= STALENESS, "{id} served {late:?} after its revocation");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_restart_of_the_server_each_record_is_read_again_once() {
    let Some(mut server) = Postgres::start() else { return };
    let database = SqlStore::connect(server.url()).await.unwrap();
    let ids: Vec<String> = (0..20).map(|number| format!("key_{number}")).collect();
    database.import(ids.iter().map(|id| key(id)).collect(), "test").await.unwrap();
    let node = Node::start(server.url()).await;
    let all_serve = async |for_at_least: Duration| {
        let (began, mut serving) = (Instant::now(), 0);
        while serving < ids.len() || began.elapsed() < for_at_least {
            serving = 0;
            for id in &ids {
                serving += usize::from(node.serves(id).await == Ok(true));
            }
            assert!(began.elapsed() < 60 * STALENESS, "they do not serve");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    all_serve(2 * STALENESS).await;
    let before = node.lookups();
    server.stop_immediately();
    server.start_again();
    // Until it has listened again, and for a while.
    all_serve(3 * STALENESS).await;
    let at_once = node.lookups();
    all_serve(3 * STALENESS).await;
    let after = node.lookups();
    println!("20 records: {before} lookups, {at_once} after a restart, {after} at the end");
    assert!(after - at_once < 2 * ids.len(), "{at_once}, then {after}");
    database.revoke("key_7", "test").await.unwrap();
    let revoked = Instant::now();
    let late = node.last_pass("key_7").await.saturating_duration_since(revoked);
    assert!(late <= STALENESS, "{late:?}");
}

/// Writers at full speed, some of which send no notification: a proof never comes before what it is about.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proof_comes_after_every_change_that_it_is_about() {
    const KEYS: usize = 60;
    let Some(server) = Postgres::start() else { return };
    let database = SqlStore::connect(server.url()).await.unwrap();
    let pool = sqlx::PgPool::connect(server.url()).await.unwrap();
    let keys = (0..4 * KEYS).map(|number| {
        let account = Account::builder(format!("account_{number}")).build().unwrap();
        let id = format!("key_{number}");
        NewKey::new(digest(&id), KeyRecord::builder(&id, account).build().unwrap())
    });
    database.import(keys.collect(), "test").await.unwrap();
    let mut changes = database.invalidations().unwrap().prove_every(Duration::from_millis(10));
    assert_eq!(changes.next().await.unwrap(), Invalidation::Everything);
    let done: Arc<Mutex<Vec<(Instant, String)>>> = Arc::default();
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let (database, pool, done) = (database.clone(), pool.clone(), Arc::clone(&done));
            tokio::spawn(async move {
                for number in writer * KEYS..(writer + 1) * KEYS {
                    let id = format!("key_{number}");
                    if writer % 2 == 0 {
                        database.revoke(&id, "test").await.unwrap();
                    } else {
                        let sql = format!(
                            "BEGIN; LOCK TABLE tower_api_key_changes IN EXCLUSIVE MODE; \
                             UPDATE tower_api_key_keys SET revoked = 1 WHERE id = '{id}'; \
                             INSERT INTO tower_api_key_changes (at, author, action, key_id, account) \
                             VALUES (0, 'test', 'key_revoked', '{id}', 'account_{number}'); COMMIT"
                        );
                        let sql = sqlx::raw_sql(sqlx::AssertSqlSafe(sql));
                        sql.execute(&pool).await.unwrap();
                    }
                    done.lock().unwrap().push((Instant::now(), id));
                }
            })
        })
        .collect();
    let (mut reported, mut proofs) = (HashSet::new(), 0);
    while reported.len() < 4 * KEYS {
        match changes.next().await.unwrap() {
            Invalidation::Secret(digest) => {
                reported.insert(digest);
            }
            Invalidation::UpToDate(since) => {
                proofs += 1;
                for (_, id) in done.lock().unwrap().iter().filter(|(at, _)| *at < since) {
                    assert!(reported.contains(&digest(id)), "{id} was not reported before");
                }
            }
            other => panic!("{other:?}"),
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    println!("{proofs} proofs among {} changes", 4 * KEYS);
}

const NODE: &str = "TOWER_API_KEY_TEST_NODE";

/// Another process: answers for each id that it reads whether the key serves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_node() {
    let Ok(url) = env::var(NODE) else { return };
    let node = Node::start(&url).await;
    let (ids, mut asked) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for id in std::io::stdin().lock().lines() {
            ids.send(id.unwrap()).unwrap();
        }
    });
    while let Some(id) = asked.recv().await {
        println!("\nanswer {id} {:?}", node.serves(&id).await);
        std::io::stdout().flush().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_was_frozen_asks_before_it_answers() {
    let Some(server) = Postgres::start() else { return };
    let database = SqlStore::connect(server.url()).await.unwrap();
    let mut other = Command::new(env::current_exe().unwrap())
        .args(["--exact", "proof::another_node", "--nocapture", "--test-threads=1"])
        .env(NODE, server.url())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut questions = other.stdin.take().unwrap();
    let mut said = BufReader::new(other.stdout.take().unwrap()).lines();
    let mut answer = |id: &str| {
        let begin = format!("answer {id} ");
        said.find_map(|line| line.unwrap().strip_prefix(&begin).map(str::to_owned)).unwrap()
    };
    for round in 0..4 {
        let id = format!("key_{round}");
        database.add(key(&id), "test").await.unwrap();
        writeln!(questions, "{id}").unwrap();
        assert_eq!(answer(&id), "Ok(true)");
        tokio::time::sleep(STALENESS + 2 * PROOFS).await;
        signal("-STOP", [other.id().to_string()]);
        database.revoke(&id, "test").await.unwrap();
        tokio::time::sleep(STALENESS).await;
        // It finds the question before it hears of the revocation, or the other way round.
        writeln!(questions, "{id}").unwrap();
        signal("-CONT", [other.id().to_string()]);
        assert_eq!(answer(&id), "Ok(false)", "in round {round}");
    }
    drop(questions);
    assert!(other.wait().unwrap().success());
}

/// A key may have been cached by a former digest, which a later change of the key cannot name.
#[tokio::test]
async fn a_deleted_former_digest_is_reported_and_so_is_the_account_of_its_key() {
    let Some(server) = Postgres::start() else { return };
    let clock = ManualClock::starting_at(Timestamp::from_unix_seconds(1_700_000_000));
    let database = SqlStore::connect(server.url()).await.unwrap().with_clock(clock.clone());
    let pool = sqlx::PgPool::connect(server.url()).await.unwrap();
    database.add(key("key"), "test").await.unwrap();
    let pepper = PepperName::new("new").unwrap();
    let newer = Rehash { from: digest("key"), to: digest("newer"), pepper };
    assert_eq!(database.rehash(vec![newer], "test").await.unwrap(), 1);
    let mut changes = database.invalidations().unwrap().prove_every(Duration::from_millis(10));
    until_it_listens(&mut changes, &pool).await;
    clock.advance(Duration::from_secs(25 * 3_600));
    assert_eq!(database.rehash(Vec::new(), "test").await.unwrap(), 0);
    let began = Instant::now();
    while !until_proven(&mut changes).await.contains(&Invalidation::Secret(digest("key"))) {
        assert!(began.elapsed() < Duration::from_secs(30), "the deletion has no notice");
    }
    // The notice of the deletion may be lost, and the one of the change, too.
    let account = Invalidation::Account(AccountId::new("acme").unwrap());
    for action in ["key_updated", "key_revoked"] {
        let sql = format!(
            "INSERT INTO tower_api_key_changes (at, author, action, key_id, account) \
             VALUES (0, 'test', '{action}', 'key', 'acme')"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&pool).await.unwrap();
        let expected = [Invalidation::Secret(digest("newer")), account.clone()];
        assert_eq!(until_proven(&mut changes).await, expected, "{action}");
    }
}
