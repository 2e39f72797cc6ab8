//! The memory store and the model of policies.

use tower_api_key::clock::{Clock, ManualClock, Timestamp};
use tower_api_key::policy::PolicyAction;
use tower_api_key::store::{KeyManager, MemoryStore, sweep_preview};

use super::policy_steps::{Both, START};

/// Does what a sweep of a database would do, without a line of the trail.
async fn sweep(store: &MemoryStore, now: Timestamp) -> (u64, u64) {
    let policies = store.policies().await.unwrap();
    let (mut off, mut ended) = (0, 0);
    for entry in store.list(&<_>::default(), None, 1_000).await.unwrap() {
        let id = entry.record.id().as_str();
        for action in sweep_preview(store, &policies, &entry, now).await.unwrap() {
            match action {
                PolicyAction::SwitchOff { .. } => {
                    store.update_now(id, |key| key.disabled(true)).unwrap();
                    off += 1;
                }
                PolicyAction::Expire { at } => {
                    store.update_now(id, |key| key.expires(at)).unwrap();
                    ended += 1;
                }
                other => panic!("{other:?}"),
            }
        }
    }
    (off, ended)
}

#[tokio::test]
async fn the_memory_store_agrees_with_the_model_of_policies() {
    for seed in 0..40 {
        let clock = ManualClock::starting_at(Timestamp::from_unix_seconds(START));
        let store = MemoryStore::with_clock(clock.clone());
        let swept = || sweep(&store, clock.now());
        let both = Both {
            store: &store,
            clock: clock.clone(),
            sweep: Box::new(|| Box::pin(swept())),
            seed,
        };
        let seen = both.agree(300).await;
        let least = [u64::from(seen.made), seen.refused.into(), seen.policies.into()];
        assert!(least.into_iter().all(|count| count > 10), "{seen:?}");
        assert!(seen.off + seen.ended > 0, "{seen:?}");
    }
}
