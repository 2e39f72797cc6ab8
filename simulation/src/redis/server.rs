//! A server: its keys, its scripts, its deaths and its counts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::keyspace::Keyspace;
use super::scripts::Scripts;
use super::wire::{Answer, Command};
use crate::time::Time;

/// The death of a server.
#[derive(Debug, Clone, Copy)]
pub struct Death {
    /// When its connections break, in milliseconds.
    pub at: u64,
    /// When it accepts connections again.
    pub until: u64,
    /// What it knows then.
    pub recovery: Recovery,
}

/// What a server knows after its death.
#[derive(Debug, Clone, Copy)]
pub enum Recovery {
    /// Nothing: it kept its data in memory alone.
    Empty,
    /// What a replica knew, which takes over: all but the writes of so many milliseconds before the death.
    Replica(u64),
}

/// What clients did.
#[derive(Debug, Clone, Copy, Default)]
pub struct ServerCounts {
    /// The scripts that were run.
    pub calls: u64,
    /// The commands of all kinds.
    pub commands: u64,
    /// The open connections.
    pub connections: u64,
    /// The most connections at the same time.
    pub most_connections: u64,
    /// The most scripts in one second.
    pub busiest: u64,
    second: u64,
    this_second: u64,
}

/// A simulated server.
pub struct RedisServer {
    pub(super) number: u64,
    pub(super) time: Time,
    keys: Arc<Mutex<Keyspace>>,
    scripts: Mutex<Scripts>,
    deaths: Vec<Death>,
    counts: Mutex<ServerCounts>,
}

impl RedisServer {
    /// Starts a server. Its deaths are tasks of the runtime.
    ///
    /// # Panics
    ///
    /// If Lua cannot be started.
    pub fn start(number: u64, time: Time, deaths: Vec<Death>) -> Arc<Self> {
        let keys = Arc::default();
        let scripts = Mutex::new(Scripts::new(&keys).expect("Lua starts"));
        let counts = Mutex::default();
        let server = Arc::new(Self { number, time, keys, scripts, deaths, counts });
        for death in server.deaths.clone() {
            tokio::spawn(Arc::clone(&server).die(death));
        }
        server
    }

    async fn die(self: Arc<Self>, death: Death) {
        let mut kept = Keyspace::default();
        if let Recovery::Replica(lag) = death.recovery {
            self.time.reach(death.at.saturating_sub(lag)).await;
            kept = self.keys.lock().unwrap().clone();
        }
        self.time.reach(death.at).await;
        *self.keys.lock().unwrap() = kept;
    }

    /// Returns true if the server is dead at an instant.
    pub(super) fn is_dead(&self, at: u64) -> bool {
        self.deaths.iter().any(|death| (death.at..death.until).contains(&at))
    }

    /// Waits for the next death.
    pub(super) async fn death(&self, now: u64) {
        match self.deaths.iter().map(|death| death.at).filter(|at| *at > now).min() {
            Some(at) => self.time.reach(at).await,
            None => std::future::pending().await,
        }
    }

    /// Returns what clients did so far.
    pub fn counts(&self) -> ServerCounts {
        *self.counts.lock().unwrap()
    }

    /// Returns the number of keys.
    pub fn len(&self) -> usize {
        self.keys.lock().unwrap().len()
    }

    /// Returns true if there are no keys.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the ends of the fixed windows of each account, in milliseconds since the beginning.
    pub fn windows(&self) -> BTreeMap<u64, Vec<u64>> {
        let keys = self.keys.lock().unwrap();
        let since = |end: &u64| end / 1_000 - Time::BEGINNING.unix_nanoseconds() / 1_000_000;
        let of_account = |(key, ends): (&Vec<u8>, &Vec<u64>)| {
            let name = String::from_utf8_lossy(key);
            let number = name.trim_end_matches('}').rsplit('_').next()?.parse().ok()?;
            Some((number, ends.iter().map(since).collect()))
        };
        keys.windows.iter().filter_map(of_account).collect()
    }

    pub(super) fn connected(&self) {
        let mut counts = self.counts.lock().unwrap();
        counts.connections += 1;
        counts.most_connections = counts.most_connections.max(counts.connections);
    }

    pub(super) fn disconnected(&self) {
        self.counts.lock().unwrap().connections -= 1;
    }

    /// Runs a command.
    pub(super) fn run(&self, command: &Command) -> Answer {
        let name = String::from_utf8_lossy(&command[0]).to_ascii_uppercase();
        self.count(name == "EVALSHA");
        self.keys.lock().unwrap().now = self.time.wall().unix_nanoseconds() / 1_000;
        let mut scripts = self.scripts.lock().unwrap();
        match &*name {
            "PING" => Answer::Status("PONG"),
            "CLIENT" | "SELECT" => Answer::Status("OK"),
            "SCRIPT" => match scripts.load(&command[2]) {
                Ok(digest) => Answer::Text(digest),
                Err(error) => Answer::Error(format!("ERR {error}")),
            },
            "EVALSHA" => {
                let digest = String::from_utf8_lossy(&command[1]);
                let keys: usize = String::from_utf8_lossy(&command[2]).parse().unwrap_or(0);
                let (keys, arguments) = command[3..].split_at(keys);
                match scripts.run(&digest, keys, arguments) {
                    None => Answer::Error("NOSCRIPT No matching script.".to_owned()),
                    Some(Ok(numbers)) => Answer::Numbers(numbers),
                    Some(Err(error)) => {
                        let line = error.to_string().replace(['\r', '\n'], " ");
                        Answer::Error(format!("ERR {line}"))
                    }
                }
            }
            _ => Answer::Error(format!("ERR unknown command '{name}'")),
        }
    }

    fn count(&self, is_call: bool) {
        let mut counts = self.counts.lock().unwrap();
        counts.commands += 1;
        if is_call {
            counts.calls += 1;
            let second = self.time.now() / 1_000;
            if counts.second != second {
                (counts.second, counts.this_second) = (second, 0);
            }
            counts.this_second += 1;
            counts.busiest = counts.busiest.max(counts.this_second);
        }
    }
}
