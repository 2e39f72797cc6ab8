//! Tests of layers that are replaced while requests are in flight, under many random schedules.

use std::sync::Arc;
use std::time::Duration;

use shuttle::thread;

use super::current::CurrentLayer;
use crate::attempts::FailedAttempts;
use crate::error::ConfigError;
use crate::profile::Profile;
use crate::service::builder::ApiKeyLayerBuilder;
use crate::service::layer::ApiKeyLayer;
use crate::store::MemoryStore;
use crate::sync::explore;

/// Starts a layer of this name.
fn named(name: &str) -> ApiKeyLayerBuilder {
    ApiKeyLayer::builder(Profile { name, ..Profile::STANDARD }, MemoryStore::new())
        .failed_attempts(FailedAttempts::new(1, Duration::from_secs(60)).capacity(8))
}

fn current(name: &str) -> Arc<CurrentLayer> {
    Arc::new(CurrentLayer::new(named(name).build().unwrap().shared))
}

/// Replaces the layer by one whose name counts the reloads.
fn count_up(current: &CurrentLayer) -> Result<(), ConfigError> {
    current.reload(|previous| {
        let number: u32 = previous.name.parse().unwrap();
        let next = named(&(number + 1).to_string());
        Ok(next.build_after(&ApiKeyLayer::new(previous))?.shared)
    })
}

#[test]
fn no_reload_is_lost() {
    explore("two threads that reload", || {
        let current = current("0");
        let threads = [(); 2].map(|()| {
            let current = Arc::clone(&current);
            thread::spawn(move || count_up(&current).unwrap())
        });
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(&*current.shared().name, "2");
    });
}

#[test]
fn a_replacement_is_not_undone() {
    explore("a reload while the layer is replaced", || {
        let current = current("0");
        let reload = thread::spawn({
            let current = Arc::clone(&current);
            move || count_up(&current).unwrap()
        });
        current.replace(named("7").build().unwrap().shared);
        reload.join().unwrap();
        assert!(["7", "8"].contains(&&*current.shared().name), "not made of the first layer");
    });
}

#[test]
fn an_attempt_is_given_back_to_the_layer_that_serves() {
    explore("requests while the layer is replaced", || {
        let current = current("0");
        let first = Arc::downgrade(&current.shared());
        let requests = [1, 2].map(|host| {
            let current = Arc::clone(&current);
            thread::spawn(move || {
                let shared = current.share();
                let (client, name) = (Some([192, 0, 2, host].into()), shared.name.clone());
                let attempts = shared.counted.attempts.as_ref().unwrap();
                let reserved = attempts.reserve(client, shared.now()).unwrap().unwrap();
                thread::yield_now();
                attempts.give_back(reserved, shared.now());
                assert_eq!(shared.name, name, "a request keeps its layer");
            })
        });
        count_up(&current).unwrap();
        requests.into_iter().for_each(|request| request.join().unwrap());
        assert!(first.upgrade().is_none(), "nothing holds the old layer");
        let shared = current.share();
        let attempts = shared.counted.attempts.as_ref().unwrap();
        for host in [1, 2] {
            let client = Some([192, 0, 2, host].into());
            assert!(attempts.reserve(client, shared.now()).is_ok(), "no attempt is under way");
        }
    });
}
