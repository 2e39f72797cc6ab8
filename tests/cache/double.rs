//! A store that counts, waits, fails or panics as a test says.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Semaphore;
use tower_api_key::Reply;
use tower_api_key::key::{Account, KeyDigest, KeyHasher, KeyRecord, SharedRecord};
use tower_api_key::store::{KeyStore, StoreError};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Answers that the secret "good" is a key's.
    Right,
    /// Answers that it is revoked.
    Revoked,
    Down,
    Panics,
    /// Never answers.
    Hangs,
    /// Waits to be let go, then answers what was true when it was asked.
    Waits,
}

#[derive(Clone)]
pub(crate) struct Double {
    mood: Arc<Mutex<Mood>>,
    asked: Arc<AtomicUsize>,
    gate: Arc<Semaphore>,
}

pub(crate) fn digest(text: &str) -> KeyDigest {
    KeyHasher::sha256().digest(text.as_bytes())
}

fn record(revoked: bool) -> KeyRecord {
    let account = Arc::new(Account::builder("acme").build().unwrap());
    KeyRecord::builder("key_1", account).revoked(revoked).build().unwrap()
}

impl Double {
    pub(crate) fn new(mood: Mood) -> Self {
        let (mood, asked) = (Arc::new(Mutex::new(mood)), Arc::default());
        Self { mood, asked, gate: Arc::new(Semaphore::new(0)) }
    }

    pub(crate) fn turns(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    pub(crate) fn let_go(&self) {
        self.gate.add_permits(1);
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl KeyStore for Double {
    fn find(&self, asked: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mood = *self.mood.lock().unwrap();
        let good = *asked == digest("good");
        let gate = Arc::clone(&self.gate);
        Reply::later(async move {
            match mood {
                Mood::Down => return Err(StoreError::new("down")),
                Mood::Panics => panic!("the store panics"),
                Mood::Hangs => std::future::pending().await,
                Mood::Waits => gate.acquire().await.unwrap().forget(),
                // Long enough for others to come.
                Mood::Right | Mood::Revoked => tokio::time::sleep(Duration::from_millis(10)).await,
            }
            Ok(good.then(|| record(mood == Mood::Revoked).into()))
        })
    }
}
