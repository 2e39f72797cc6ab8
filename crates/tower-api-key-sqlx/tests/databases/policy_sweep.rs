//! What policies do as time passes.

use std::sync::Arc;
use std::time::Duration;

use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::events::EventLog;
use tower_api_key::key::{Account, KeyRecord, KeyRecordBuilder};
use tower_api_key::policy::{KeyPolicy, KeyPolicyBuilder};
use tower_api_key::store::{Command, CommandOptions, KeyManager, NewKey};
use tower_api_key_sqlx::{PolicyOutcome, PolicySweep, SqlStore};

use crate::folder::Folder;
use crate::postgres::Postgres;
use crate::{digest, sqlite};

const DAY: Duration = Duration::from_secs(86_400);

fn day(number: u32) -> Timestamp {
    Timestamp::from_unix_seconds(1_800_000_000).plus(DAY * number)
}

/// A store whose time a test sets.
struct Swept {
    store: SqlStore,
    clock: ManualClock,
}

impl Swept {
    async fn connect(url: &str, prefix: &str) -> Self {
        let clock = ManualClock::starting_at(day(0));
        let store = SqlStore::builder(url).prefix(prefix).clock(clock.clone());
        Self { store: store.connect().await.unwrap(), clock }
    }

    async fn save(
        &self,
        subject: &str,
        describe: impl FnOnce(KeyPolicyBuilder) -> KeyPolicyBuilder,
    ) {
        let policy = describe(KeyPolicy::builder(subject.parse().unwrap())).build().unwrap();
        let saved = self.store.apply(Command::SavePolicy(policy), CommandOptions::by("ada"));
        saved.await.unwrap();
    }

    async fn add(
        &self,
        id: &str,
        account: &str,
        describe: impl FnOnce(KeyRecordBuilder) -> KeyRecordBuilder,
    ) {
        let account = Arc::new(Account::builder(account).build().unwrap());
        let record = describe(KeyRecord::builder(id, account)).build().unwrap();
        self.store.add(NewKey::new(digest(id), record), "ada").await.unwrap();
    }

    async fn use_key(&self, id: &str, on: u32) {
        self.store.note_uses(vec![(digest(id), day(on))]).await.unwrap();
    }

    /// Sweeps on a day. Each sweep is one of another process, after the lease of the last has ended.
    async fn sweep(&self, on: u32) -> PolicyOutcome {
        self.clock.set(day(on));
        self.clock.advance(Duration::from_secs(61));
        let outcome = PolicySweep::new(self.store.clone()).unwrap().sweep().await.unwrap();
        self.clock.advance(Duration::from_secs(61));
        outcome
    }

    async fn is_on(&self, id: &str) -> bool {
        !self.store.get(id).await.unwrap().unwrap().record.is_disabled_itself()
    }

    async fn events(&self, kind: &str) -> Vec<String> {
        let events = self.store.events(0, 10_000).await.unwrap();
        let of_kind = events.iter().filter(|event| event.kind.name() == kind);
        of_kind.map(|event| event.key.clone()).collect()
    }
}

async fn unused_keys_are_switched_off(swept: Swept) {
    let as_it_is = |key| key;
    for id in ["used", "idle", "edited", "rotated"] {
        swept.add(id, "acme", as_it_is).await;
    }
    swept.add("free", "other", as_it_is).await;
    swept.add("away", "away", as_it_is).await;
    swept.save("account:acme", |policy| policy.switch_off_unused(90 * DAY)).await;
    swept.save("account:away", |policy| policy.switch_off_unused(90 * DAY)).await;
    swept.use_key("idle", 1).await;
    swept.use_key("free", 1).await;
    assert_eq!(swept.sweep(1).await.switched_off, 0);
    swept.clock.set(day(50));
    swept.add("of_day_50", "acme", as_it_is).await;
    swept.store.update("edited", Box::new(|key| key.name("x")), "ada").await.unwrap();
    swept.store.rotate("rotated", digest("rotated 2"), day(60), "ada").await.unwrap();
    let off = Account::builder("away").disabled(true).build().unwrap();
    swept.store.save_account(off, "ada").await.unwrap();
    swept.use_key("used", 60).await;

    assert_eq!(swept.sweep(90).await.switched_off, 0, "the newest use of `idle` is of day 1");
    // What a preview counts, it leaves undone: for a later one and for a sweep.
    let before = swept.store.changes(0, 1_000).await.unwrap();
    swept.clock.set(day(91).plus(Duration::from_secs(61)));
    for _ in 0..2 {
        let shown = PolicySweep::new(swept.store.clone()).unwrap().preview().await.unwrap();
        assert!(!shown.swept && !shown.uses_unknown, "{shown:?}");
        assert_eq!(shown.switched_off, 1, "{shown:?}");
    }
    assert_eq!(swept.store.changes(0, 1_000).await.unwrap(), before);
    assert!(swept.is_on("idle").await);
    assert_eq!(swept.events("key.switched_off").await, [""; 0]);
    let outcome = swept.sweep(91).await;
    assert!(outcome.swept && !outcome.uses_unknown, "{outcome:?}");
    assert_eq!(outcome.switched_off, 1, "{outcome:?}");
    assert!(!swept.is_on("idle").await && swept.is_on("used").await);
    let line = swept.store.changes(0, 1_000).await.unwrap().pop().unwrap();
    assert_eq!((line.by.as_str(), line.key.as_deref()), ("policy", Some("idle")));
    assert_eq!(line.reason, Some(format!("not used since {}; policy account:acme", day(1))));
    assert_eq!(line.differences[0].field, "disabled");
    assert_eq!(swept.events("key.switched_off").await, ["idle"]);
    assert_eq!(swept.sweep(92).await.switched_off, 0, "once");

    // A key that somebody switches on again has the whole time once more.
    swept.store.update("idle", Box::new(|key| key.disabled(false)), "ada").await.unwrap();
    swept.use_key("used", 92).await;
    let on = Account::builder("away").build().unwrap();
    swept.store.save_account(on, "ada").await.unwrap();
    let mut off = Vec::new();
    for on in [93, 139, 140, 141, 170, 181, 182, 183] {
        let count = swept.sweep(on).await.switched_off;
        if count > 0 {
            off.push((on, count));
        }
        if on == 170 {
            swept.use_key("free", 170).await;
        }
    }
    // First `edited`, `rotated` and `of_day_50`, then `used`, and then `idle` and `away`.
    assert_eq!(off, [(140, 3), (182, 1), (183, 2)]);
    assert!(swept.is_on("free").await, "no policy covers it");
}

/// The recorder of usage knows of requests, and no last use of a secret is written.
#[cfg(feature = "usage")]
async fn what_the_recorder_of_usage_counts_is_a_use(swept: Swept) {
    use tower_api_key::key::KeyId;
    use tower_api_key::usage::{LastUse, UsageBatch, UsageSink};

    for id in ["used", "idle"] {
        swept.add(id, "acme", |key| key).await;
    }
    swept.add("later", "acme", |key| key.not_before(day(60))).await;
    swept.save("all", |policy| policy.switch_off_unused(90 * DAY)).await;
    for (number, on) in [(1, 1), (2, 80)] {
        let used = (KeyId::new("used").unwrap(), LastUse::new(day(on), None));
        swept.store.write(&UsageBatch::new([1; 16], number, [], [used])).await.unwrap();
        assert_eq!(swept.sweep(on).await.switched_off, 0);
    }
    let outcome = swept.sweep(95).await;
    assert!(outcome.switched_off == 1 && !outcome.uses_unknown, "{outcome:?}");
    assert!(swept.is_on("used").await && swept.is_on("later").await && !swept.is_on("idle").await);
    assert_eq!(swept.sweep(149).await.switched_off, 0, "`later` begins on day 60");
    assert_eq!(swept.sweep(151).await.switched_off, 1);
    assert!(swept.is_on("used").await && !swept.is_on("later").await);
}

async fn without_recorded_uses_nothing_is_switched_off(swept: Swept) {
    for id in ["a", "b", "c"] {
        swept.add(id, "acme", |key| key).await;
    }
    swept.save("all", |policy| policy.switch_off_unused(30 * DAY)).await;
    let outcome = swept.sweep(100).await;
    assert!(outcome.uses_unknown && outcome.switched_off == 0, "no use is known: {outcome:?}");
    // Somebody began to record uses.
    swept.use_key("a", 100).await;
    let outcome = swept.sweep(101).await;
    assert!(outcome.uses_unknown && outcome.switched_off == 0, "since a day: {outcome:?}");
    for on in (101..130).step_by(7) {
        swept.use_key("a", on).await;
        assert_eq!(swept.sweep(on).await.switched_off, 0, "day {on}");
    }
    let outcome = swept.sweep(131).await;
    assert!(!outcome.uses_unknown && outcome.switched_off == 2, "{outcome:?}");
    assert!(swept.is_on("a").await);
    // And ended to record them.
    swept.clock.set(day(131));
    swept.add("d", "acme", |key| key).await;
    let outcome = swept.sweep(170).await;
    assert!(outcome.uses_unknown && outcome.switched_off == 0, "{outcome:?}");
    // Somebody says that all was recorded.
    swept.add("e", "acme", |key| key).await;
    swept.use_key("e", 170).await;
    assert_eq!(swept.sweep(171).await.switched_off, 0);
    let sweep = PolicySweep::new(swept.store.clone()).unwrap();
    let sweep = sweep.assume_uses_recorded_since(day(0));
    swept.clock.advance(Duration::from_secs(61));
    assert_eq!(sweep.sweep().await.unwrap().switched_off, 2, "`a` and `d`");
}

async fn keys_that_live_too_long_get_an_expiry(swept: Swept) {
    swept.add("none", "acme", |key| key).await;
    swept.add("late", "acme", |key| key.expires(day(1_000))).await;
    swept.add("soon", "acme", |key| key.expires(day(50))).await;
    swept.add("new", "acme", |key| key.expires(day(95))).await;
    swept.add("kind", "other", |key| key.kind("lasting")).await;
    swept.add("free", "other", |key| key).await;
    swept.save("account:acme", |policy| policy.longest_life(90 * DAY)).await;
    swept.save("kind:lasting", KeyPolicyBuilder::require_expiry).await;
    let expires = async |id: &str| swept.store.get(id).await.unwrap().unwrap().record.expires();
    let outcome = swept.sweep(10).await;
    assert_eq!(outcome.expiries_set, 4, "{outcome:?}");
    let now = day(10).plus(Duration::from_secs(61));
    for (id, expected) in [
        ("none", Some(day(90))),
        ("late", Some(day(90))),
        ("soon", Some(day(50))),
        ("new", Some(day(90))),
        ("kind", Some(now.plus(14 * DAY))),
        ("free", None),
    ] {
        assert_eq!(expires(id).await, expected, "{id}");
    }
    assert_eq!(swept.sweep(11).await.expiries_set, 0);
    // A rotation allows a later expiry.
    swept.store.rotate("late", digest("late 2"), day(12), "ada").await.unwrap();
    swept.store.update("late", Box::new(|key| key.expires(day(101))), "ada").await.unwrap();
    assert_eq!(swept.sweep(12).await.expiries_set, 0);
    // A policy that comes late leaves two weeks.
    swept.save("account:acme", |policy| policy.longest_life(DAY)).await;
    assert_eq!(swept.sweep(20).await.expiries_set, 4);
    let now = day(20).plus(Duration::from_secs(61));
    assert_eq!(expires("late").await, Some(now.plus(14 * DAY)));
    let reason = swept.store.changes(0, 1_000).await.unwrap().pop().unwrap().reason;
    let expected = "a policy bounds the life of the key; policy account:acme";
    assert_eq!(reason.as_deref(), Some(expected));
}

async fn a_secret_has_one_reminder(swept: Swept) {
    for id in ["a", "b"] {
        swept.add(id, "acme", |key| key).await;
    }
    swept.save("all", |policy| policy.remind_of_rotation(90 * DAY)).await;
    let mut found = Vec::new();
    for on in [89, 90, 91, 180, 190, 191] {
        let reminders = swept.sweep(on).await.reminders;
        if reminders > 0 {
            found.push((on, reminders));
        }
        if on == 91 {
            swept.clock.set(day(100));
            swept.store.rotate("a", digest("a2"), day(100), "ada").await.unwrap();
        }
    }
    assert_eq!(found, [(90, 2), (190, 1)]);
    assert_eq!(swept.events("key.rotation_due").await, ["a", "b", "a"]);
    let events = swept.store.events(0, 100).await.unwrap();
    assert_eq!(events.last().unwrap().data["secret_made"], day(100).to_string());
}

async fn one_of_many_processes_sweeps(swept: Swept) {
    for number in 0..20 {
        swept.add(&format!("key_{number}"), "acme", |key| key).await;
    }
    swept.save("all", |policy| policy.remind_of_rotation(DAY).require_expiry()).await;
    swept.clock.set(day(10));
    let sweeping = (0..6).map(|_| {
        let sweep = PolicySweep::new(swept.store.clone()).unwrap();
        tokio::spawn(async move { sweep.sweep().await.unwrap() })
    });
    let (mut swept_by, mut set, mut reminders) = (0, 0, 0);
    for outcome in sweeping.collect::<Vec<_>>() {
        let outcome = outcome.await.unwrap();
        swept_by += u32::from(outcome.swept);
        set += outcome.expiries_set;
        reminders += outcome.reminders;
    }
    assert_eq!((swept_by, set, reminders), (1, 20, 20));
    // Two leases at once, as after a wait, do nothing twice either.
    assert_eq!(swept.events("key.rotation_due").await.len(), 20);
}

/// Adds a million keys of day 0. Nearly all were used on day 100, and ten thousand not since day 1.
async fn a_million_keys(
    name: &str,
    swept: Swept,
    numbers: &str,
    digest: &str,
    run: impl AsyncFn(&str),
) {
    let (old, new) = (day(1).unix_nanoseconds(), day(100).unix_nanoseconds());
    let (added, far) = (day(0).unix_nanoseconds(), day(300).unix_nanoseconds());
    let idle = "i BETWEEN 770000 AND 779999";
    for sql in [
        "INTO tower_api_key_accounts (id, disabled, scopes) SELECT 'account_' || i, 0, '[]' FROM n WHERE i < 100000",
        &format!(
            "INTO tower_api_key_keys (id, account, name, description, networks, metadata, disabled, revoked, created, expires) \
             SELECT 'key_' || i, 'account_' || (i / 10), '', '', '[]', '{{}}', 0, 0, {added}, \
             CASE WHEN i < 10000 THEN NULL ELSE {far} END FROM n"
        ),
        &format!(
            "INTO tower_api_key_secrets (digest, key_id, created, last_used) \
             SELECT {digest}, 'key_' || i, {added}, CASE WHEN {idle} THEN {old} ELSE {new} END FROM n"
        ),
        &format!(
            "INTO tower_api_key_changes (at, author, action, key_id, account) \
             SELECT {added}, 'ada', 'key_added', 'key_' || i, 'account_' || (i / 10) FROM n"
        ),
    ] {
        let (into, rest) = sql.split_once(" SELECT ").unwrap();
        run(&format!("INSERT {into} WITH {numbers} SELECT {rest}")).await;
    }
    run("ANALYZE").await;
    swept.save("all", |policy| policy.switch_off_unused(90 * DAY)).await;
    let timed = async |what: &str, on| {
        let (began, outcome) = (std::time::Instant::now(), swept.sweep(on).await);
        println!("{name}: {what} in {:.1?}: {outcome:?}", began.elapsed());
        outcome
    };
    assert_eq!(timed("10,000 keys are switched off", 101).await.switched_off, 10_000);
    assert_eq!(timed("nothing is due", 102).await.switched_off, 0);
    swept.save("all", |policy| policy.longest_life(365 * DAY).remind_of_rotation(365 * DAY)).await;
    assert_eq!(timed("10,000 keys get an expiry", 103).await.expiries_set, 10_000);
    assert_eq!(timed("two other rules, and nothing is due", 104).await.expiries_set, 0);
    let began = std::time::Instant::now();
    for number in 0..1_000 {
        let record = |key: KeyRecordBuilder| key.expires(day(200));
        swept.add(&format!("further_{number}"), "further", record).await;
    }
    println!("{name}: a key is added under a policy in {:.1?}", began.elapsed() / 1_000);
}

/// `cargo test --release -p tower-api-key-sqlx --all-features --test databases a_million_keys_are_swept -- --ignored --nocapture`
#[tokio::test]
#[ignore = "takes some minutes, and says how long"]
async fn a_million_keys_are_swept() {
    let folder = Folder::new();
    let url = sqlite(&folder);
    let swept = Swept::connect(&url, "tower_api_key_").await;
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    let by_hand = async |sql: &str| {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        sqlx::raw_sql(sql).execute(&pool).await.unwrap();
    };
    let numbers = "RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999999)";
    a_million_keys("SQLite", swept, numbers, "randomblob(32)", by_hand).await;
    let Some(server) = Postgres::start() else { return };
    let swept = Swept::connect(server.url(), "tower_api_key_").await;
    let pool = sqlx::PgPool::connect(server.url()).await.unwrap();
    let by_hand = async |sql: &str| {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        sqlx::raw_sql(sql).execute(&pool).await.unwrap();
    };
    let numbers = "n AS (SELECT generate_series(0, 999999) AS i)";
    let digest = "sha256(CAST('key_' || i AS BYTEA))";
    a_million_keys("PostgreSQL", swept, numbers, digest, by_hand).await;
}

/// Declares tests that run on both databases.
macro_rules! on_both {
    ($($(#[$when:meta])* $name:ident,)*) => {
        mod on_sqlite {
            $(
                $(#[$when])*
                #[tokio::test]
                async fn $name() {
                    let folder = super::Folder::new();
                    super::$name(super::Swept::connect(&super::sqlite(&folder), "t_").await).await;
                }
            )*
        }

        #[tokio::test]
        async fn all_on_postgres() {
            let Some(server) = Postgres::start() else { return };
            $($(#[$when])* {
                let prefix = stringify!($name).get(..30).unwrap_or(stringify!($name));
                $name(Swept::connect(server.url(), prefix).await).await;
            })*
        }
    };
}

on_both! {
    unused_keys_are_switched_off,
    #[cfg(feature = "usage")]
    what_the_recorder_of_usage_counts_is_a_use,
    without_recorded_uses_nothing_is_switched_off,
    keys_that_live_too_long_get_an_expiry,
    a_secret_has_one_reminder,
    one_of_many_processes_sweeps,
}
