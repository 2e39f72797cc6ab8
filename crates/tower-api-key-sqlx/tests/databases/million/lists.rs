//! Measures a page of 50 with each state, each order and each combination of the other filters.

use std::time::{Duration, Instant};

use tower_api_key::key::SecretTail;
use tower_api_key::store::{KeyFilter, KeyManager, KeyOrder, KeyState};
use tower_api_key_sqlx::SqlStore;

use super::store::{days_from_now, fill};
use crate::folder::Folder;
use crate::postgres::Postgres;
use crate::sqlite;

/// A page that a person should not wait for.
const QUICK: Duration = Duration::from_millis(20);

/// How often each page is read. The shortest time counts, because other programs may keep the machine busy.
const TRIES: u32 = 5;

/// The values of a filter: none, one that few keys have, and one that many have.
const ACCOUNTS: [Option<&str>; 3] = [None, Some("account_4711"), Some("big")];
const OWNERS: [Option<&str>; 3] = [None, Some("user_7"), Some("ci")];
const KINDS: [Option<&str>; 3] = [None, Some("restricted"), Some("legacy")];
const ENVIRONMENTS: [Option<&str>; 2] = [None, Some("test")];
const TAGS: [Option<&str>; 3] = [None, Some("gold"), Some("free")];
const PREFIXES: [Option<&str>; 3] = [None, Some("Backup"), Some("Worker 0")];
const EXPIRIES: [Option<i64>; 3] = [None, Some(7), Some(400)];

fn filters() -> Vec<KeyFilter> {
    let mut filters = vec![KeyFilter::default()];
    let mut each = |set: &dyn Fn(&mut KeyFilter, usize), count: usize| {
        let one = |filter: &KeyFilter| {
            (0..count)
                .map(|value| {
                    let mut filter = filter.clone();
                    set(&mut filter, value);
                    filter
                })
                .collect::<Vec<_>>()
        };
        filters = filters.iter().flat_map(one).collect();
    };
    let text = |text: Option<&str>| text.map(str::to_owned);
    each(&|filter, value| filter.account = text(ACCOUNTS[value]), 3);
    each(&|filter, value| filter.owner = text(OWNERS[value]), 3);
    each(&|filter, value| filter.kind = text(KINDS[value]), 3);
    each(&|filter, value| filter.environment = text(ENVIRONMENTS[value]), 2);
    each(
        &|filter, value| filter.tag = TAGS[value].map(|tier| ("tier".to_owned(), tier.to_owned())),
        3,
    );
    each(&|filter, value| filter.name_prefix = text(PREFIXES[value]), 3);
    each(&|filter, value| filter.expires_before = EXPIRIES[value].map(days_from_now), 3);
    each(&|filter, value| filter.state = value.checked_sub(1).map(|state| KeyState::ALL[state]), 5);
    each(
        &|filter, value| filter.order = [KeyOrder::Id, KeyOrder::Name, KeyOrder::Expiry][value],
        3,
    );
    filters
}

/// Returns each list of the keys of which a secret ends as few others do.
fn by_tail() -> impl Iterator<Item = KeyFilter> {
    [KeyOrder::Id, KeyOrder::Name, KeyOrder::Expiry].into_iter().map(|order| {
        let tail = SecretTail::new("beef").ok();
        KeyFilter { tail, order, ..KeyFilter::default() }
    })
}

/// Returns the parts of a filter, and what it asks for.
fn parts(filter: &KeyFilter) -> (usize, String) {
    let mut parts = Vec::new();
    for (name, text) in [
        ("account", &filter.account),
        ("owner", &filter.owner),
        ("kind", &filter.kind),
        ("environment", &filter.environment),
        ("prefix", &filter.name_prefix),
    ] {
        parts.extend(text.as_ref().map(|text| format!("{name}={text}")));
    }
    parts.extend(filter.tag.as_ref().map(|(_, value)| format!("tag={value}")));
    parts.extend(
        filter.expires_before.map(|before| format!("before={}", &before.to_string()[..10])),
    );
    parts.extend(filter.tail.map(|tail| format!("tail={tail}")));
    parts.extend(filter.state.map(|state| format!("state={}", state.name())));
    (parts.len(), format!("{} by {:?}", parts.join(" "), filter.order))
}

/// Measures the filters with up to three parts, those with few parts first.
async fn pages_are_measured(name: &str, store: &SqlStore) {
    for count in 0..=3 {
        let mut took = Vec::new();
        let filters = filters().into_iter().chain(by_tail());
        for filter in filters.filter(|filter| parts(filter).0 == count) {
            let mut shortest = Duration::MAX;
            let mut found = Ok(0);
            for _ in 0..TRIES {
                let began = Instant::now();
                found = store.page(&filter, None, 50).await.map(|page| page.found.len());
                shortest = shortest.min(began.elapsed());
            }
            took.push((shortest, parts(&filter).1, found));
        }
        took.sort_by_key(|(time, ..)| *time);
        let part = |of: usize| took[(took.len() - 1) * of / 100].0;
        println!(
            "{name}: {count} parts: {} lists, half of them within {:.1?}, 90 % {:.1?}, all {:.1?}; {} over {QUICK:?}",
            took.len(),
            part(50),
            part(90),
            part(100),
            took.iter().filter(|(time, ..)| *time > QUICK).count()
        );
        for (time, parts, found) in
            took.iter().rev().take_while(|(time, ..)| count < 2 || *time > QUICK)
        {
            println!("{name}: {time:.1?}: {parts}: {found:?} keys");
        }
    }
}

#[tokio::test]
#[ignore = "takes minutes, and says how long the pages take"]
async fn pages_of_a_million_keys_of_sqlite() {
    let folder = Folder::new();
    let store = fill("SQLite", &sqlite(&folder)).await;
    pages_are_measured("SQLite", &store).await;
}

#[tokio::test]
#[ignore = "takes minutes, and says how long the pages take"]
async fn pages_of_a_million_keys_of_postgres() {
    let Some(server) = Postgres::start() else { return };
    let store = fill("PostgreSQL", server.url()).await;
    pages_are_measured("PostgreSQL", &store).await;
}
