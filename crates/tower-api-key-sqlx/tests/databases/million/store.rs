//! A store of a million keys, as a company may have after some years.

use std::env;
use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::key::{Account, KeyDigest, KeyRecord, PepperName, SecretTail};
use tower_api_key::store::{KeyManager, NewKey};
use tower_api_key_sqlx::SqlStore;

pub(super) const KEYS: u32 = 1_000_000;
const AT_A_TIME: u32 = 20_000;
pub(super) const DAY: u64 = 86_400;

/// The instant of all measurements: 2027-01-15.
pub(super) const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

pub(super) fn days_from_now(days: i64) -> Timestamp {
    let seconds = 1_800_000_000 + days * DAY.cast_signed();
    Timestamp::from_unix_seconds(seconds.cast_unsigned())
}

/// Returns the digest of a key by a pepper, as far as a measurement needs one: evenly spread.
pub(super) fn digest(number: u32, pepper: u8) -> KeyDigest {
    let mut digest = [pepper; 32];
    let spread = u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    digest[..8].copy_from_slice(&spread.to_be_bytes());
    digest[8..12].copy_from_slice(&number.to_be_bytes());
    KeyDigest::from_bytes(digest)
}

/// Returns key number `number`. Ids are in the order of creation. The first 600,000 keys have expired, so a search for active
/// keys in the order of ids begins among keys that are none.
pub(super) fn key(number: u32) -> NewKey {
    let one_in = |count: u32| number.is_multiple_of(count);
    let account =
        if number % 10 < 3 { "big".to_owned() } else { format!("account_{}", number / 100) };
    // Of 10,000 accounts, 50 are disabled.
    let disabled = number / 100 % 200 == 7 && number % 10 >= 3;
    let account = Account::builder(account).disabled(disabled).build().unwrap();
    let name = if one_in(500) { "Backup" } else { "Worker" };
    let mut record = KeyRecord::builder(format!("key_{number:07}"), account)
        .name(format!("{name} {:07}", number.wrapping_mul(7_919) % KEYS))
        .environment(if one_in(4) { "test" } else { "live" })
        .owner(if number % 10 < 2 { "ci".to_owned() } else { format!("user_{}", number % 1_009) })
        .metadata("tier", if one_in(100) { "gold" } else { "free" })
        .disabled(number % 1_000 == 13);
    if number < KEYS / 10 * 6 {
        record = record.expires(days_from_now(-1_000 + i64::from(number / 600)));
    } else if one_in(2) {
        record = record.expires(days_from_now(1 + i64::from(number % 700)));
    }
    // All keys of the kind `legacy` are revoked.
    let legacy = number % 20 == 7;
    if legacy {
        record = record.kind("legacy");
    } else if number % 10 == 9 {
        record = record.kind("restricted");
    }
    let record = record.revoked(legacy || number % 97 == 5);
    let mut new = NewKey::new(digest(number, 1), record.build().unwrap());
    new.pepper = Some(PepperName::new("2026").unwrap());
    // One in 65,536, as of hexadecimal secrets.
    new.tail =
        Some(SecretTail::new(format!("{:04x}", number.wrapping_mul(40_503) % 65_536)).unwrap());
    new
}

/// Fills a store, and says how long that took. A store that was filled before is named by `MILLION_KEYS_IN_SQLITE` or
/// `MILLION_KEYS_IN_POSTGRESQL`.
pub(super) async fn fill(name: &str, url: &str) -> SqlStore {
    let filled = env::var(format!("MILLION_KEYS_IN_{}", name.to_uppercase()));
    if let Ok(filled) = filled {
        let clock = ManualClock::starting_at(NOW);
        return SqlStore::builder(filled).clock(clock).connect().await.unwrap();
    }
    let clock = ManualClock::starting_at(days_from_now(-400));
    let store = SqlStore::builder(url).clock(clock.clone()).connect().await.unwrap();
    let began = Instant::now();
    for start in (0..KEYS).step_by(AT_A_TIME as usize) {
        store.import((start..start + AT_A_TIME).map(key).collect(), "test").await.unwrap();
    }
    println!("{name}: {KEYS} keys imported in {:.1?}", began.elapsed());
    clock.advance(Duration::from_secs(400 * DAY));
    if url.starts_with("postgres") {
        // As autovacuum does within minutes.
        let mut connection = PgConnection::connect(url).await.unwrap();
        sqlx::raw_sql("VACUUM ANALYZE").execute(&mut connection).await.unwrap();
    }
    store
}
