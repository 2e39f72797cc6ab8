//! The keeper of this process's permits, which renews their leases and gives them back.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, Weak};
use std::time::Duration;

use redis::Script;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::queue::Queue;
use crate::call::Call;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::lock::lock;

static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("permits.lua")));

/// The renewals in the length of a lease. Two of them may fail.
const RENEWALS: u32 = 3;
/// The most permits that are given back in one step, and named in one call.
const AT_ONCE: usize = 256;
/// The most calls under way at the same time.
const CALLS: usize = 32;

/// The keeper of this process's permits. One task both renews permits and gives them back. So it never renews a
/// permit after it gave the permit back.
pub(super) struct LeaseKeeper {
    pub(super) server: Server,
    pub(super) queue: Queue,
    lease: Duration,
    next: AtomicU64,
    held: Mutex<HashMap<Arc<str>, HashSet<u64>>>,
    releases: Mutex<Option<UnboundedSender<Release>>>,
}

/// The server, with the number under which this process holds permits there.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) connection: Connection,
    /// A random number, so that no two processes use the same names for permits.
    node: u64,
}

impl Server {
    /// Returns a call on a set of permits, without the permits yet.
    pub(super) fn call(key: &str, action: &str) -> Call<'static> {
        let mut call = Call::new(&SCRIPT);
        call.command.arg(1).arg(key).arg(action);
        call
    }

    /// Returns the name of a permit, which no other process uses.
    pub(super) fn permit(&self, number: u64) -> String {
        format!("{:016x}:{number}", self.node)
    }

    fn naming(&self, mut call: Call<'static>, numbers: &[u64]) -> Call<'static> {
        for number in numbers {
            call.command.arg(self.permit(*number));
        }
        call
    }

    /// Makes calls, up to [`CALLS`] at the same time. Ignores failures: a permit that was not given back, or
    /// not renewed, is free when its lease ends.
    async fn call_all(&self, calls: Vec<Call<'static>>) {
        let mut running = JoinSet::new();
        for call in calls {
            if running.len() >= CALLS {
                running.join_next().await;
            }
            let connection = self.connection.clone();
            running.spawn(async move { connection.call(&call).await.is_ok() });
        }
        while running.join_next().await.is_some() {}
    }
}

/// The key of a set, and the number of a permit that leaves it.
type Release = (Arc<str>, u64);

impl LeaseKeeper {
    pub(super) fn new(connection: Connection, lease: Duration) -> Self {
        // Without randomness, the time and the process id replace it. Two processes with one number would share
        // permits.
        let node = getrandom::u64().unwrap_or_else(|_| {
            let now = tower_api_key::clock::Clock::now(&tower_api_key::clock::SystemClock);
            now.unix_nanoseconds() ^ u64::from(std::process::id())
        });
        Self {
            server: Server { connection, node },
            queue: Queue::default(),
            lease,
            next: AtomicU64::new(0),
            held: Mutex::default(),
            releases: Mutex::default(),
        }
    }

    pub(super) fn lease_microseconds(&self) -> u64 {
        u64::try_from(self.lease.as_micros()).unwrap_or(u64::MAX)
    }

    /// Returns a number for a permit. Starts the task that gives permits back, if it does not run.
    pub(super) fn next_permit(self: &Arc<Self>) -> Result<u64, Failure> {
        let mut releases = self.releases();
        // The task ends with its runtime. The next request then starts it on another.
        if releases.as_ref().is_none_or(UnboundedSender::is_closed) {
            let (sender, receiver) = unbounded_channel();
            let (server, queue) = (self.server.clone(), self.queue.clone());
            let task = renew_and_release(Arc::downgrade(self), server, queue, self.lease, receiver);
            self.server.connection.spawn(task)?;
            *releases = Some(sender);
        }
        Ok(self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// Starts renewing a permit.
    pub(super) fn hold(&self, key: &Arc<str>, number: u64) {
        self.held().entry(Arc::clone(key)).or_default().insert(number);
    }

    /// Stops renewing a permit, and gives it back.
    pub(super) fn give_back(&self, key: &Arc<str>, number: u64) {
        let mut held = self.held();
        if let Some(numbers) = held.get_mut(key) {
            numbers.remove(&number);
            if numbers.is_empty() {
                held.remove(key);
            }
        }
        drop(held);
        if let Some(releases) = &*self.releases() {
            // Without a runtime there is no task to receive this. The permit is then free after its lease.
            let _ = releases.send((Arc::clone(key), number));
        }
    }

    /// Returns the calls that renew all permits.
    fn renewals(&self) -> Vec<Call<'static>> {
        let held = self.held();
        let mut calls = Vec::new();
        for (key, numbers) in &*held {
            let numbers: Vec<u64> = numbers.iter().copied().collect();
            for numbers in numbers.chunks(AT_ONCE) {
                let mut call = Server::call(key, "renew");
                call.command.arg(self.lease_microseconds());
                calls.push(self.server.naming(call, numbers));
            }
        }
        calls
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Arc<str>, HashSet<u64>>> {
        lock(&self.held)
    }

    fn releases(&self) -> MutexGuard<'_, Option<UnboundedSender<Release>>> {
        lock(&self.releases)
    }
}

/// Renews permits and gives them back, until the keeper and all its permits are dropped.
async fn renew_and_release(
    keeper: Weak<LeaseKeeper>,
    server: Server,
    queue: Queue,
    lease: Duration,
    mut releases: UnboundedReceiver<Release>,
) {
    // The first renewal is now, because the process may hold permits from a runtime that has ended.
    let mut renewal = Instant::now();
    let mut released = Vec::new();
    loop {
        let received = releases.recv_many(&mut released, AT_ONCE);
        if timeout_at(renewal, received).await == Ok(0) {
            return;
        }
        let mut gone: HashMap<Arc<str>, Vec<u64>> = HashMap::new();
        for (key, number) in released.drain(..) {
            gone.entry(key).or_default().push(number);
        }
        let leaving =
            gone.iter().map(|(key, numbers)| server.naming(Server::call(key, "leave"), numbers));
        server.call_all(leaving.collect()).await;
        for key in gone.keys() {
            queue.freed(key);
        }
        if renewal <= Instant::now() {
            let renewals = keeper.upgrade().map(|keeper| keeper.renewals());
            server.call_all(renewals.unwrap_or_default()).await;
            renewal = Instant::now() + lease / RENEWALS;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faulty_server::FaultyServer;

    const TIMEOUT: Duration = Duration::from_secs(1);

    /// If calls ran one after the other, renewals of many routes would come after their leases have ended.
    #[tokio::test]
    async fn a_limited_number_of_calls_is_under_way_at_the_same_time() {
        // The second answer is a list that never ends.
        static ANSWERS: [&str; 2 * CALLS] = {
            let mut answers = [":1"; 2 * CALLS];
            answers[0] = "*1\r\n:1";
            answers[1] = "*1000";
            answers
        };
        for (calls, rounds) in [(1, 1), (CALLS, 1), (CALLS + 1, 2)] {
            let faulty = FaultyServer::start(&ANSWERS).await;
            let connection = Connection::of_url(&faulty.url, TIMEOUT, u32::MAX);
            let call = || Server::call("acme", "leave");
            assert_eq!(connection.call(&call()).await.unwrap(), [1]);
            tokio::time::pause();
            let (server, began) = (Server { connection, node: 0 }, Instant::now());
            server.call_all((0..calls).map(|_| call()).collect()).await;
            // Timers have a resolution of 1 ms.
            let waited = (began.elapsed().as_secs_f64() / TIMEOUT.as_secs_f64()).round();
            assert!((waited - f64::from(rounds)).abs() < 0.5, "{calls} calls took {waited} s");
            tokio::time::resume();
        }
    }
}
