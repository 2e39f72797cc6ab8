//! Digests by a newer pepper for keys that are in use. Requests record them, and a task writes them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::background_writes::{BackgroundWrites, WriteFailures};
use super::manage::{PepperManager, REHASHER, Rehash};
use crate::key::KeyDigest;
use crate::sync::{Mutex, lock};

/// The most secrets that wait. A further one waits for another request with its key.
const WAITING: usize = 10_000;
/// The most secrets of one change, so in a second. Other changes wait while it is made, and every node hears of each
/// secret.
const AT_ONCE: usize = 100;
/// The time between two looks at what waits.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);
/// The time after a failed write.
const AFTER_FAILURE: Duration = Duration::from_secs(5);
/// How often former digests that have served their time are deleted: every this many looks, so once an hour.
const LOOKS_BETWEEN_SWEEPS: u32 = 3_600;

/// Gives keys that are in use their digests by the current pepper of a [keyring](crate::key::Peppers).
///
/// A gate with a rehasher records each key that it finds by a former pepper. Only the gate can: the store has no text
/// of a key. A task writes what was recorded, at most 100 keys in a second, so no request waits. Clones
/// record into one list.
///
/// What is not written is lost without harm, because the next request with the key records it again. Several processes
/// may write at once: see [`PepperManager::rehash`].
///
/// ```
/// use std::sync::Arc;
/// use tower_api_key::key::{KeyHasher, Pepper, Peppers};
/// use tower_api_key::store::{MemoryStore, Rehasher};
/// use tower_api_key::{ApiKeyLayer, Profile};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (old, new) = (Pepper::new(*b"sixteen old byte")?, Pepper::new(*b"sixteen new byte")?);
/// let store = MemoryStore::new();
/// let rehasher = Rehasher::new();
/// tokio::spawn(rehasher.write_to(Arc::new(store.clone())));
///
/// let peppers = Peppers::builder("2027", &new).former("2026", &old).build()?;
/// let layer = ApiKeyLayer::builder(Profile::STANDARD, store)
///     .hasher(KeyHasher::with_peppers(peppers))
///     .rehasher(&rehasher)
///     .build()?;
/// # Ok(()) }
/// ```
#[derive(Clone, Default)]
pub struct Rehasher(Arc<RehashQueue>);

#[derive(Default)]
struct RehashQueue {
    /// By the digest that a key has, so that a key in frequent use waits once.
    waiting: Mutex<HashMap<KeyDigest, Rehash>>,
    /// Whether a gate has a keyring. Without one, there is nothing to write or to delete.
    has_keyring: AtomicBool,
}

impl Rehasher {
    /// Creates a rehasher with an empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records a secret, unless too many wait.
    pub(crate) fn record(&self, secret: Rehash) {
        let mut waiting = lock(&self.0.waiting);
        if waiting.len() < WAITING {
            waiting.insert(secret.from, secret);
        }
    }

    /// Begins to write, because a gate with a keyring uses this rehasher.
    pub(crate) fn begin(&self) {
        self.0.has_keyring.store(true, Ordering::Relaxed);
    }

    /// Writes what is recorded, until the rehasher and all gates that use it are dropped. Spawn the task.
    ///
    /// Write through the store that the gate asks, a [`Cached`](struct.Cached.html) or
    /// [`Replica`](struct.Replica.html) included: the gate then finds the new digest at once. A failed write is
    /// repeated after 5 seconds. Once an hour, and after the start, the task also deletes the former digests that have
    /// served [their time](super::FORMER_DIGEST_KEPT).
    pub fn write_to(&self, manager: Arc<dyn PepperManager>) -> BackgroundWrites {
        let queue = Arc::downgrade(&self.0);
        BackgroundWrites::new(async move |failures| write(&queue, &*manager, failures).await)
    }
}

impl std::fmt::Debug for Rehasher {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Rehasher({} waiting)", lock(&self.0.waiting).len())
    }
}

async fn write(
    queue: &Weak<RehashQueue>,
    manager: &dyn PepperManager,
    mut failures: WriteFailures,
) {
    let (mut pause, mut looks_until_sweep) = (BETWEEN_LOOKS, 0);
    loop {
        tokio::time::sleep(pause).await;
        pause = BETWEEN_LOOKS;
        // Held only for the look, so that the task ends with the last gate.
        let Some(batch) = queue.upgrade().map(|queue| queue.next_batch()) else { return };
        let Some(batch) = batch else { continue };
        if batch.is_empty() && looks_until_sweep > 0 {
            looks_until_sweep -= 1;
            continue;
        }
        // Every change sweeps, too.
        looks_until_sweep = LOOKS_BETWEEN_SWEEPS;
        if failures.note(&manager.rehash(batch.clone(), REHASHER).await) {
            pause = AFTER_FAILURE;
            if let Some(queue) = queue.upgrade() {
                lock(&queue.waiting).extend(batch.into_iter().map(|secret| (secret.from, secret)));
            }
        }
    }
}

impl RehashQueue {
    /// Takes what is written next. Returns `None` if no gate has a keyring.
    fn next_batch(&self) -> Option<Vec<Rehash>> {
        if !self.has_keyring.load(Ordering::Relaxed) {
            return None;
        }
        let mut waiting = lock(&self.waiting);
        let next: Vec<KeyDigest> = waiting.keys().take(AT_ONCE).copied().collect();
        Some(next.iter().filter_map(|digest| waiting.remove(digest)).collect())
    }
}
