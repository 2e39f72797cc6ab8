//! A pepper that is replaced, stopped at each statement: keys are issued under the newer pepper, keys in use get their digest
//! by it, a deployment steps back, and former digests are deleted.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};

use super::table::{self, Making, Script};
use crate::SqlStore;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{Account, KeyDigest, KeyHasher, KeyRecord, Pepper, PepperName, Peppers};
use tower_api_key::store::{
    Command, CommandOptions, IdempotencyKey, KeyManager, KeyStore, NewKey, NewSecret,
    PepperManager, Rehash, Rehasher,
};
use tower_api_key::{ApiKeyLayer, vendors};

struct Rotation;

/// The last digest by a former pepper is replaced an hour before this, and then serves for a day.
const SWEEP: usize = 7;

fn name(prefix: &str, pepper: &str) -> PepperName {
    PepperName::new(format!("{prefix}{pepper}")).unwrap()
}

/// The hashers before and after the rotation of the pepper. The names of peppers have the prefix, so that each script has
/// progress of its own.
fn hashers(prefix: &str) -> [KeyHasher; 2] {
    let [old, new] = [1, 2].map(|byte| Pepper::new([byte; 32]).unwrap());
    let [of_old, of_new] = ["old", "new"].map(|pepper| name(prefix, pepper));
    let before = Peppers::builder(of_old.as_str(), &old).next(of_new.as_str(), &new);
    let after = Peppers::builder(of_new.as_str(), &new).former(of_old.as_str(), &old);
    [before, after].map(|peppers| KeyHasher::with_peppers(peppers.build().unwrap()))
}

fn text(prefix: &str, secret: &str) -> String {
    format!("the-secret-{prefix}{secret}")
}

/// Returns the digests of a secret by both peppers.
fn digests(prefix: &str, secret: &str) -> [KeyDigest; 2] {
    hashers(prefix).map(|hasher| hasher.digest(text(prefix, secret).as_bytes()))
}

fn key(prefix: &str, id: &str, pepper: &str) -> NewKey {
    let account = Arc::new(Account::builder(format!("{prefix}acme")).build().unwrap());
    let record = KeyRecord::builder(format!("{prefix}{id}"), account).build().unwrap();
    let [old, new] = digests(prefix, id);
    let mut key = NewKey::new(if pepper == "old" { old } else { new }, record);
    key.pepper = Some(name(prefix, pepper));
    key
}

/// Gives a secret the digest by the newer pepper, as a gate with the key would.
fn newer(prefix: &str, id: &str) -> Rehash {
    let [from, to] = digests(prefix, id);
    Rehash { from, to, pepper: name(prefix, "new") }
}

/// Sends a request with the key to a gate, and waits until the rehasher of the gate has written its newer digest.
async fn use_key(store: &SqlStore, prefix: &str, id: &str) {
    let [_, hasher] = hashers(prefix);
    let rehasher = Rehasher::new();
    tokio::spawn(rehasher.write_to(Arc::new(store.clone())));
    let gate = ApiKeyLayer::builder(vendors::REST_INTEGRATIONS, store.clone()).assume_https();
    let gate = gate.without_limits().hasher(hasher).rehasher(&rehasher).build().unwrap();
    let service = gate.layer(service_fn(|_: Request<()>| async {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    }));
    let bearer = format!("Bearer {}", text(prefix, id));
    let request = Request::get("/").header("authorization", bearer).body(()).unwrap();
    assert_eq!(service.oneshot(request).await.unwrap().status(), 200);
    while store.find(&newer(prefix, id).to).await.unwrap().is_none() {
        // Each look is a statement at which the process is stopped.
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

/// Makes a change with an idempotency key. Returns true if it was made before.
async fn apply(store: &SqlStore, prefix: &str, step: usize, command: Command<'_>) -> bool {
    let once = format!("{prefix}{step}");
    let options = CommandOptions::by("test").once(IdempotencyKey::new(&once, &[7; 32]));
    store.apply(command, options).await.unwrap().replayed
}

impl Script for Rotation {
    const CHILD: &'static str = "stops::peppers::child";
    const STEPS: usize = SWEEP + 1;
    // After a step back, a key in use would get the newer digest again.
    const REPLAYS_ALL: bool = false;

    fn at(step: usize) -> Timestamp {
        let hours = if step == SWEEP { 24 + 6 } else { step };
        Timestamp::from_unix_seconds(1_800_000_000 + 3_600 * hours as u64)
    }

    fn make<'a>(store: &'a SqlStore, prefix: &'a str, step: usize, is_child: bool) -> Making<'a> {
        Box::pin(async move {
            let [a, b] = ["a", "b"].map(|id| newer(prefix, id));
            let rehash = async |secret| store.rehash(vec![secret], "rehasher").await.unwrap() == 0;
            match step {
                0 => apply(store, prefix, step, Command::Add(key(prefix, "a", "old"))).await,
                1 => apply(store, prefix, step, Command::Add(key(prefix, "b", "old"))).await,
                // Issued while the newer pepper is the current one.
                2 => apply(store, prefix, step, Command::Add(key(prefix, "c", "new"))).await,
                3 => {
                    let id = format!("{prefix}b");
                    let [_, digest] = digests(prefix, "second");
                    let secret = NewSecret { pepper: Some(name(prefix, "new")), ..digest.into() };
                    let until = Timestamp::from_unix_seconds(1_900_000_000);
                    apply(store, prefix, step, Command::Rotate { id: &id, secret, until }).await
                }
                4 if is_child => {
                    use_key(store, prefix, "a").await;
                    false
                }
                4 => rehash(a).await,
                // The former secret of a key that was rotated is in use, too.
                5 => rehash(b).await,
                6 => {
                    let back = Rehash { from: a.to, to: a.from, pepper: name(prefix, "old") };
                    rehash(back).await
                }
                _ => {
                    let was_deleted = store.find(&b.from).await.unwrap().is_none();
                    store.rehash(Vec::new(), "rehasher").await.unwrap();
                    was_deleted
                }
            }
        })
    }

    fn describe<'a>(
        store: &'a SqlStore,
        prefix: &'a str,
    ) -> Pin<Box<dyn Future<Output = String> + 'a>> {
        Box::pin(async move {
            let mut text = String::new();
            for id in ["a", "b", "c"] {
                let Some(entry) = store.get(&format!("{prefix}{id}")).await.unwrap() else {
                    continue;
                };
                for secret in &entry.secrets {
                    let formers = secret.formers.iter();
                    let formers: Vec<_> =
                        formers.map(|former| (&former.pepper, former.replaced)).collect();
                    let (pepper, ends) = (&secret.pepper, secret.expires);
                    text += &format!("secret of {id} {pepper:?} {ends:?} {formers:?}\n");
                }
            }
            for secret in ["a", "b", "second", "c"] {
                let mut by = Vec::new();
                for digest in digests(prefix, secret) {
                    let found = store.find(&digest).await.unwrap();
                    by.push(found.map(|key| (key.id().to_string(), key.expires())));
                }
                text += &format!("secret {secret} by old and new {by:?}\n");
            }
            for usage in store.pepper_usage().await.unwrap() {
                if usage.pepper.as_ref().is_some_and(|name| name.as_str().starts_with(prefix)) {
                    text += &format!("{usage:?}\n");
                }
            }
            text
        })
    }
}

#[tokio::test]
#[ignore = "is a process that another test starts"]
async fn child() {
    table::child::<Rotation>().await;
}

#[tokio::test]
async fn a_pepper_whose_rotation_ends_at_any_statement_loses_and_doubles_no_secret_in_sqlite() {
    table::check_sqlite::<Rotation>().await;
}

#[tokio::test]
async fn a_pepper_whose_rotation_ends_at_any_statement_loses_and_doubles_no_secret_in_postgres() {
    table::check_postgres::<Rotation>().await;
}
