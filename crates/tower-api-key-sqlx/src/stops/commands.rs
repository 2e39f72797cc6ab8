//! Each command, and an import, stopped at each statement.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::table::{self, Making, Script};
use crate::SqlStore;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{Account, KeyDigest, KeyHasher, KeyRecord};
use tower_api_key::policy::{KeyPolicy, PolicySubject};
use tower_api_key::store::{
    Command, CommandOptions, Difference, IdempotencyKey, KeyFilter, KeyManager, KeyStore, NewKey,
    NewSecret,
};

struct Commands;

fn digest(text: &str) -> KeyDigest {
    KeyHasher::sha256().digest(text.as_bytes())
}

fn account(prefix: &str, plan: &str) -> Account {
    Account::builder(format!("{prefix}acme")).plan(plan).scopes(["read"]).build().unwrap()
}

fn key(prefix: &str, id: &str) -> NewKey {
    let id = format!("{prefix}{id}");
    let account = Arc::new(account(prefix, "free"));
    let record = KeyRecord::builder(&id, account).owner("ada").metadata("team", "a");
    NewKey::new(digest(&id), record.build().unwrap())
}

/// Makes one command of the script. `None` for the import, which is no command.
fn command<'a>(step: usize, prefix: &'a str, id: &'a str) -> Option<Command<'a>> {
    let until = Timestamp::from_unix_seconds(2_000_000_000);
    Some(match step {
        0 => Command::SaveAccount(account(prefix, "free")),
        1 | 2 => Command::Add(key(prefix, if step == 1 { "a" } else { "b" })),
        3 => Command::Update {
            id,
            change: Box::new(|key| key.name("job").metadata("team", "b").disabled(false)),
        },
        4 => {
            let secret = NewSecret::from(digest(&format!("{prefix}second")));
            Command::Rotate { id, secret, until }
        }
        5 => Command::EndEarlierSecrets { id },
        6 => Command::SaveAccount(account(prefix, "paid")),
        7 => Command::Revoke { id },
        8 => Command::Add(key(prefix, "c").revoking_others()),
        9 => Command::Delete { id },
        10 => {
            let (before, after) = (Some("9".to_owned()), Some("0".to_owned()));
            Command::NoteRefund { id, used: Difference::new("quota minute", before, after) }
        }
        11 => Command::SavePolicy(policy(prefix, 50)),
        12 => Command::SavePolicy(policy(prefix, 40)),
        13 => Command::DeleteAccount { id },
        IMPORT => return None,
        _ => Command::DeletePolicy(subject(prefix)),
    })
}

/// The import obeys the policy.
const IMPORT: usize = 14;

fn subject(prefix: &str) -> PolicySubject {
    PolicySubject::stored(&format!("account:{prefix}acme"))
}

fn policy(prefix: &str, most: u32) -> KeyPolicy {
    KeyPolicy::builder(subject(prefix)).most_keys(most).build().unwrap()
}

impl Script for Commands {
    const CHILD: &'static str = "stops::commands::child";
    const STEPS: usize = 16;
    const REPLAYS_ALL: bool = true;

    fn make<'a>(store: &'a SqlStore, prefix: &'a str, step: usize, _: bool) -> Making<'a> {
        Box::pin(async move {
            let name = match step {
                3 | 4 | 5 | 9 => "b",
                10 => "c",
                13 => "acme",
                _ => "a",
            };
            let id = format!("{prefix}{name}");
            let Some(command) = command(step, prefix, &id) else {
                let keys = ["c", "d", "e"].map(|id| key(prefix, id));
                return store.import(keys.to_vec(), "test").await.unwrap() == 0;
            };
            let once = format!("{prefix}{step}");
            let reason = if step == 7 { "leaked: in a log" } else { "as the test wants" };
            let options = CommandOptions::by("test").because(reason);
            let options = options.once(IdempotencyKey::new(&once, &[7; 32]));
            store.apply(command, options).await.unwrap().replayed
        })
    }

    fn describe<'a>(
        store: &'a SqlStore,
        prefix: &'a str,
    ) -> std::pin::Pin<Box<dyn Future<Output = String> + 'a>> {
        Box::pin(async move {
            let mut text = String::new();
            for id in ["a", "b", "c", "d", "e"] {
                let found = store.get(&format!("{prefix}{id}")).await.unwrap();
                let Some(entry) = found else { continue };
                let ends: Vec<_> = entry.secrets.iter().map(|secret| secret.expires).collect();
                let fields = Difference::of_keys(None, Some(&entry.record));
                let (id, created) = (entry.record.id(), entry.created);
                text += &format!("key {id} {fields:?} {created} {ends:?}\n");
            }
            for secret in ["a", "b", "second", "c", "d", "e"] {
                let found = store.find(&digest(&format!("{prefix}{secret}"))).await.unwrap();
                let found = found.map(|key| (key.id().to_string(), key.is_revoked()));
                text += &format!("secret {secret} {found:?}\n");
            }
            for team in ["a", "b"] {
                let account = Some(format!("{prefix}acme"));
                let tag = Some(("team".to_owned(), team.to_owned()));
                let filter = KeyFilter { account, tag, ..KeyFilter::default() };
                let tagged = store.list(&filter, None, 100).await.unwrap();
                let ids: Vec<_> = tagged.iter().map(|key| key.record.id().to_string()).collect();
                text += &format!("team {team} {ids:?}\n");
            }
            let account = store.find_account(&format!("{prefix}acme")).await.unwrap();
            let fields = Difference::of_accounts(None, account.as_deref());
            text += &format!("account {} {fields:?}\n", account.is_some());
            let policies = store.policies().await.unwrap();
            let policy = policies.find(&subject(prefix)).map(KeyPolicy::most_keys);
            text += &format!("policy {policy:?}\n");
            text
        })
    }
}

#[test]
fn each_command_is_stopped_at_each_of_its_statements() {
    let steps = 0..Commands::STEPS;
    let stopped: BTreeSet<_> =
        steps.filter_map(|step| Some(command(step, "", "id")?.name())).collect();
    assert_eq!(stopped, Command::NAMES.iter().copied().collect());
}

#[tokio::test]
#[ignore = "is a process that another test starts"]
async fn child() {
    table::child::<Commands>().await;
}

#[tokio::test]
async fn a_command_that_ends_at_any_statement_is_made_once_or_not_at_all_in_sqlite() {
    table::check_sqlite::<Commands>().await;
}

#[tokio::test]
async fn a_command_that_ends_at_any_statement_is_made_once_or_not_at_all_in_postgres() {
    table::check_postgres::<Commands>().await;
}
