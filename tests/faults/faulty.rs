//! A store and a limiter that go wrong once, at the place and in the way that a plan says.

use std::future::{Future, pending};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::sleep;
use tower_api_key::Reply;
use tower_api_key::caller::Caller;
use tower_api_key::key::{KeyDigest, SharedRecord};
use tower_api_key::limits::{Charge, ChargeMode, Limiter, LimiterError, MemoryLimiter};
use tower_api_key::quota::{AppliedQuotas, Verdict};
use tower_api_key::store::{KeyStore, MemoryStore, StoreError};

/// How long a client waits before it hangs up.
pub(crate) const PATIENCE: Duration = Duration::from_millis(20);
/// How late an answer is that still finds its client waiting.
pub(crate) const LATE: Duration = Duration::from_millis(5);
/// How late an answer is that finds nobody.
const TOO_LATE: Duration = Duration::from_millis(50);

/// Where it goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The store is asked for a key.
    Store,
    /// The limiter is asked whether there is room, before a request takes its place.
    Room,
    /// The limiter is charged.
    Cost,
    /// The limiter is asked how an account stands that is refused.
    QuotaStatus,
    /// The service behind the gate is asked whether it is ready.
    Ready,
    /// The service is called.
    Call,
    /// The service's body is read, from its second frame on.
    Body,
}

/// How it goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    FailsNow,
    FailsLater,
    /// It does what it was asked, and its answer gets lost.
    FailsAfterwards,
    Hangs,
    PanicsNow,
    PanicsLater,
    Late,
    /// It works on when nobody waits any more, and is done then.
    Orphaned,
}

/// The one thing that goes wrong; after that, all is sound.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan(Arc<Mutex<Option<(Place, Fault)>>>);

impl Plan {
    pub(crate) fn set(&self, place: Place, fault: Fault) {
        *self.0.lock().unwrap() = Some((place, fault));
    }

    /// Takes the fault that is planned for a place.
    pub(crate) fn take(&self, place: Place) -> Option<Fault> {
        let mut plan = self.0.lock().unwrap();
        plan.take_if(|(planned, _)| *planned == place).map(|(_, fault)| fault)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.0.lock().unwrap().is_none()
    }
}

#[derive(Debug, Clone)]
pub(crate) struct FaultyStore(pub(crate) MemoryStore, pub(crate) Plan);

impl KeyStore for FaultyStore {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        let Some(fault) = self.1.take(Place::Store) else {
            return self.0.find(digest);
        };
        let (store, digest) = (self.0.clone(), *digest);
        let sound = async move { store.find(&digest).await };
        go_wrong(fault, sound, || Err(StoreError::new(io::Error::other("faulty"))))
    }
}

#[derive(Debug, Clone)]
pub(crate) struct FaultyLimiter(pub(crate) Arc<MemoryLimiter>, pub(crate) Plan);

impl Limiter for FaultyLimiter {
    fn charge(&self, charge: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
        let place = match (charge.mode, charge.cost) {
            (ChargeMode::IfAllowed | ChargeMode::Force, _) => Place::Cost,
            (ChargeMode::Peek, 0) => Place::QuotaStatus,
            (ChargeMode::Peek, _) => Place::Room,
        };
        let Some(fault) = self.1.take(place) else {
            return self.0.charge(charge);
        };
        let sound = charge_later(Arc::clone(&self.0), &charge);
        go_wrong(fault, sound, || Err(LimiterError::new(io::Error::other("faulty"))))
    }
}

/// Charges when it is polled, as a limiter across a network does.
pub(crate) fn charge_later(
    limiter: Arc<MemoryLimiter>,
    charge: &Charge<'_>,
) -> impl Future<Output = Result<Verdict, LimiterError>> + Send + 'static {
    let Charge { cost, mode, now, .. } = *charge;
    let record = charge.caller.record().unwrap().clone();
    let (general, route) = (charge.quotas.general.to_vec(), charge.quotas.route.to_vec());
    async move {
        let quotas = AppliedQuotas { general: &general, route: &route };
        limiter.charge(Charge { caller: Caller::Key(&record), quotas, cost, mode, now }).await
    }
}

fn go_wrong<T: Send + 'static>(
    fault: Fault,
    sound: impl Future<Output = T> + Send + 'static,
    error: fn() -> T,
) -> Reply<T> {
    match fault {
        Fault::FailsNow => Reply::now(error()),
        Fault::FailsLater => Reply::later(async move {
            sleep(LATE).await;
            error()
        }),
        Fault::FailsAfterwards => Reply::later(async move {
            sound.await;
            sleep(LATE).await;
            error()
        }),
        Fault::Hangs => Reply::later(pending()),
        Fault::PanicsNow => panic!("planned"),
        Fault::PanicsLater => Reply::later(async move {
            sleep(LATE).await;
            panic!("planned")
        }),
        Fault::Late => Reply::later(async move {
            sleep(LATE).await;
            sound.await
        }),
        Fault::Orphaned => {
            let working = tokio::spawn(async move {
                sleep(TOO_LATE).await;
                sound.await
            });
            Reply::later(async move { working.await.unwrap() })
        }
    }
}
