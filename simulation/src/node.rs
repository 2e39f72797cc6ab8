//! A node of a fleet: its clock, its limiters and its requests.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use tower_api_key::Reply;
use tower_api_key::caller::Caller;
use tower_api_key::clock::Clock;
use tower_api_key::limits::{Charge, ChargeMode, Limiter};
use tower_api_key::quota::{AppliedQuotas, Quota};
use tower_api_key_redis::RedisLimiter;

use crate::chance::Chance;
use crate::judge::{Judge, Outcome};
use crate::time::{DriftingClock, Time};

/// How often a node looks whether its rate has changed, in milliseconds.
const LOOK: f64 = 100.0;

/// Returns the requests a second of a node at an instant.
pub type Rate = Arc<dyn Fn(u64, u64) -> f64 + Send + Sync>;

/// The requests of a node.
#[derive(Clone)]
pub struct Load {
    /// How many there are.
    pub rate: Rate,
    /// The number of accounts, which make equally many.
    pub accounts: u64,
    /// When they end, in milliseconds.
    pub until: u64,
}

/// A node whose limits are in Redis.
pub struct LimitNode {
    /// Its number.
    pub number: u64,
    /// Random numbers of its own.
    pub chance: Chance,
    /// The time.
    pub time: Time,
    /// Its clock.
    pub clock: DriftingClock,
    /// A limiter for each server. Accounts are spread over them.
    pub limiters: Vec<RedisLimiter>,
    /// The quota of each account.
    pub quota: [Quota; 1],
    /// The judge of all nodes.
    pub judge: Arc<Mutex<Judge>>,
}

impl LimitNode {
    /// Makes requests until the load ends.
    pub async fn serve(self: Arc<Self>, load: Load) {
        let mut next = 0.0;
        for request in 0.. {
            let rate = (load.rate)(self.number, self.time.now());
            // Requests come independently of each other. The time to the next one does not depend on how long there was
            // none, so a rate that changes counts after a short while.
            let gap = -(1.0 - self.chance.fraction(&[request, 1])).ln() * 1_000.0 / rate;
            next += gap.min(LOOK);
            if next as u64 >= load.until {
                return;
            }
            if next as u64 > self.time.now() {
                self.time.reach(next as u64).await;
            }
            if gap < LOOK {
                self.request(self.chance.number(&[request, 2]) % load.accounts);
            }
        }
    }

    /// Makes a request of an account.
    fn request(self: &Arc<Self>, account: u64) {
        let shard = (account % self.limiters.len() as u64) as usize;
        let wall = self.time.wall();
        let record = self.judge.lock().unwrap().begins(account, self.time.now(), wall);
        let quotas = AppliedQuotas { general: &self.quota, route: &[] };
        let caller = Caller::Key(&record);
        let (mode, now) = (ChargeMode::IfAllowed, self.clock.now());
        let charge = Charge { caller, quotas, cost: 1, mode, now };
        let reply = self.limiters[shard].charge(charge);
        let node = Arc::clone(self);
        when_known(reply, move |answer| {
            let now = node.time.now();
            node.judge.lock().unwrap().ends(account, now, Outcome::of(&answer));
        });
    }
}

/// Calls a function with an answer: at once if it is known, or else in a task.
pub fn when_known<T: Unpin + Send + 'static>(
    mut reply: Reply<T>,
    then: impl FnOnce(T) + Send + 'static,
) {
    match Pin::new(&mut reply).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => then(answer),
        Poll::Pending => drop(tokio::spawn(async move { then(reply.await) })),
    }
}
