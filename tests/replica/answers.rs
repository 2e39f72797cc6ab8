//! Answers with more to come: what one answer says of an account counts for the keys of the answers before.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tower_api_key::key::{Account, AccountId, KeyDigest, KeyId, KeyRecord};
use tower_api_key::store::{
    FeedAnswer, FeedChange, FeedChanges, FeedFuture, FeedPage, FeedPosition, FeedSecret, KeyFeed,
    KeyStore, Replica,
};

use crate::support::digest;

/// The changes of an answer, and whether there are more.
type ScriptedAnswer = (fn() -> Vec<FeedChange>, bool);

/// What happens, the answers, and the keys that are there at the end, all disabled.
type Case = (&'static str, &'static [ScriptedAnswer], &'static [&'static str]);

/// A feed of an empty store, whose first question for changes is answered with none, and each further one with the next
/// answer of the script. An answer is the last one before a pause if it is so marked.
struct Script {
    answers: &'static [ScriptedAnswer],
    asked: AtomicUsize,
}

const fn at(sequence: u64) -> FeedPosition {
    FeedPosition { sequence, mark: sequence }
}

impl KeyFeed for Script {
    fn position(&self) -> FeedFuture<'_, FeedPosition> {
        Box::pin(async { Ok(at(1)) })
    }

    fn keys_after(
        &self,
        position: FeedPosition,
        _: Option<KeyDigest>,
    ) -> FeedFuture<'_, FeedAnswer<FeedPage>> {
        let page = FeedPage { secrets: Vec::new(), is_last: true, latest: position };
        Box::pin(async { Ok(FeedAnswer::Same(page)) })
    }

    fn changes_after(
        &self,
        since: FeedPosition,
        _: FeedPosition,
    ) -> FeedFuture<'_, FeedAnswer<FeedChanges>> {
        let next = self.asked.fetch_add(1, Ordering::Relaxed).checked_sub(1);
        let next = next.and_then(|next| self.answers.get(next));
        let (changes, more) = next.map_or((Vec::new(), false), |(next, more)| (next(), *more));
        let position = if next.is_some() { at(since.sequence + 1) } else { since };
        let behind = Duration::ZERO;
        let answer = FeedChanges { changes, position, latest: position, more, behind };
        Box::pin(async { Ok(FeedAnswer::Same(answer)) })
    }
}

fn acme(disabled: bool) -> Account {
    Account::builder("acme").disabled(disabled).build().unwrap()
}

fn key(id: &str, disabled: bool) -> FeedChange {
    key_with(id, &[id], disabled)
}

fn key_with(id: &str, secrets: &[&str], disabled: bool) -> FeedChange {
    let record = KeyRecord::builder(id, acme(disabled)).build().unwrap();
    let secret = |secret: &&str| FeedSecret { digest: digest(secret), record: Ok(record.clone()) };
    FeedChange::Key { id: KeyId::new(id).unwrap(), secrets: secrets.iter().map(secret).collect() }
}

fn no_key(id: &str) -> FeedChange {
    FeedChange::Key { id: KeyId::new(id).unwrap(), secrets: Vec::new() }
}

fn account(account: Option<Account>) -> FeedChange {
    FeedChange::Account { id: AccountId::new("acme").unwrap(), account }
}

#[tokio::test(start_paused = true)]
async fn the_state_in_the_latest_answer_counts_for_all_keys_of_an_account() {
    let scripts: &[Case] = &[
        (
            "the account is new, and is disabled before the last answer",
            &[(|| vec![key("one", false)], true), (|| vec![account(Some(acme(true)))], false)],
            &["one"],
        ),
        (
            "the account is new, and only a key shows that it was disabled",
            &[
                (|| vec![key("one", false), key("two", false)], true),
                (|| vec![key("three", true)], true),
                (|| vec![no_key("other")], false),
            ],
            &["one", "two", "three"],
        ),
        (
            "the account is disabled, and a later key shows it as enabled anew and disabled again",
            &[
                (|| vec![account(Some(acme(true))), key("one", true)], true),
                (|| vec![key("two", false)], true),
                (|| vec![key("three", true), account(Some(acme(true)))], false),
            ],
            &["one", "two", "three"],
        ),
        (
            "the account was made anew, and a key of the same id shows its state",
            &[
                (|| vec![key("one", false)], false),
                (|| vec![account(None)], true),
                (|| vec![key("one", true)], false),
            ],
            &["one"],
        ),
        (
            "the account was made anew, and a key that is gone was named before",
            &[
                (|| vec![key("one", false), key("gone", false)], false),
                (|| vec![key("gone", false)], true),
                (|| vec![account(None), key("two", true)], false),
            ],
            &["two"],
        ),
        (
            "the account was made anew between answers, without a line",
            &[
                (|| vec![key("one", false)], false),
                (|| vec![key("two", false)], true),
                (|| vec![account(None)], true),
                (|| vec![key("two", true)], true),
                (|| vec![key("one", true)], false),
            ],
            &["one", "two"],
        ),
        (
            "the account was made anew, and its key has a secret of a former key, which is named too",
            &[
                (|| vec![key_with("former", &["former", "one"], false)], false),
                (|| vec![account(None), key("one", true), no_key("former")], false),
            ],
            &["one"],
        ),
    ];
    for (case, answers, disabled) in scripts {
        // The order of a map is random, so each script runs a few times.
        for _ in 0..8 {
            let script = Script { answers, asked: AtomicUsize::new(0) };
            let replica = Replica::new(script);
            tokio::spawn(replica.follow());
            replica.ready().await;
            tokio::time::sleep(Duration::from_secs(8)).await;
            assert_eq!(replica.len(), disabled.len(), "{case}");
            for id in *disabled {
                let found = replica.find(&digest(id)).await.unwrap().unwrap();
                assert!(found.is_disabled(), "{case}: the key {id} passes");
            }
        }
    }
}
