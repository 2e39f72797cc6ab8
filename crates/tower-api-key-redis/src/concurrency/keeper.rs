//! Renews the leases of all permits that this process holds, and gives them back.

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

/// Renewals in the length of a lease: two may fail.
const RENEWALS: u32 = 3;
/// Permits that are given back in one step, and named in one call.
const AT_ONCE: usize = 256;
/// Calls under way at the same time.
const CALLS: usize = 32;

/// Keeps the permits of this process. The task that renews and gives back is one, so no renewal of a
/// permit comes after it was given back.
pub(super) struct LeaseKeeper {
    pub(super) server: Server,
    pub(super) queue: Queue,
    lease: Duration,
    next: AtomicU64,
    held: Mutex<HashMap<Arc<str>, HashSet<u64>>>,
    releases: Mutex<Option<UnboundedSender<Release>>>,
}

/// Asks the server for permits, under this process's name.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) connection: Connection,
    /// Tells the permits of this process from those of all others.
    node: u64,
}

impl Server {
    /// Starts a call on a set of permits.
    pub(super) fn call(key: &str, action: &str) -> Call<'static> {
        let mut call = Call::new(&SCRIPT);
        call.command.arg(1).arg(key).arg(action);
        call
    }

    /// Names a permit as no other process does.
    pub(super) fn permit(&self, number: u64) -> String {
        format!("{:016x}:{number}", self.node)
    }

    fn naming(&self, mut call: Call<'static>, numbers: &[u64]) -> Call<'static> {
        for number in numbers {
            call.command.arg(self.permit(*number));
        }
        call
    }

    /// Makes calls, some at a time. What becomes of them is for the server to say: a permit that was not
    /// given back, or not renewed, is free when its lease is over.
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
        // Without randomness the time of day tells processes apart: two of one number share permits.
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

    /// Returns a number for a permit, and sees to it that the task runs that gives it back.
    pub(super) fn next_permit(self: &Arc<Self>) -> Result<u64, Failure> {
        let mut releases = self.releases();
        // It ends with the runtime that it runs in, and then begins in another.
        if releases.as_ref().is_none_or(UnboundedSender::is_closed) {
            let (sender, receiver) = unbounded_channel();
            let (server, queue) = (self.server.clone(), self.queue.clone());
            let task = renew_and_release(Arc::downgrade(self), server, queue, self.lease, receiver);
            self.server.connection.spawn(task)?;
            *releases = Some(sender);
        }
        Ok(self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// Renews a permit from now on.
    pub(super) fn hold(&self, key: &Arc<str>, number: u64) {
        self.held().entry(Arc::clone(key)).or_default().insert(number);
    }

    /// Renews a permit no more, and gives it back.
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
            // Nobody listens when the runtime has ended; then the lease ends by itself.
            let _ = releases.send((Arc::clone(key), number));
        }
    }

    /// Lists the calls that renew all permits.
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

/// Renews and gives back, until nobody holds or asks for a permit any more.
async fn renew_and_release(
    keeper: Weak<LeaseKeeper>,
    server: Server,
    queue: Queue,
    lease: Duration,
    mut releases: UnboundedReceiver<Release>,
) {
    // At once, for permits may be held since a runtime that has ended.
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
    use redis::Client;

    use super::*;
    use crate::breaker::Breaker;
    use crate::faulty_server::FaultyServer;

    const TIMEOUT: Duration = Duration::from_secs(1);

    /// One after the other, renewals of many routes would come later than their leases end.
    #[tokio::test]
    async fn so_many_calls_are_under_way_at_the_same_time_and_no_more() {
        // After the first answer a list that never ends.
        static ANSWERS: [&str; 2 * CALLS] = {
            let mut answers = [":1"; 2 * CALLS];
            answers[0] = "*1\r\n:1";
            answers[1] = "*1000";
            answers
        };
        for (calls, rounds) in [(1, 1), (CALLS, 1), (CALLS + 1, 2)] {
            let faulty = FaultyServer::start(&ANSWERS).await;
            let client = Client::open(&*faulty.url).unwrap();
            let connection = Connection::new(client, TIMEOUT, Breaker::new(u32::MAX));
            let call = || Server::call("acme", "leave");
            assert_eq!(connection.call(&call()).await.unwrap(), [1]);
            tokio::time::pause();
            let (server, began) = (Server { connection, node: 0 }, Instant::now());
            server.call_all((0..calls).map(|_| call()).collect()).await;
            // Timers go by whole milliseconds.
            let waited = (began.elapsed().as_secs_f64() / TIMEOUT.as_secs_f64()).round();
            assert!((waited - f64::from(rounds)).abs() < 0.5, "{calls} calls took {waited} s");
            tokio::time::resume();
        }
    }
}
