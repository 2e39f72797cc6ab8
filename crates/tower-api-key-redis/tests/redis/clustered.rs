//! A cluster of one test's own: primaries, and a replica of each.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crc::{CRC_16_XMODEM, Crc};
use tower_api_key_redis::{RedisLimiter, RedisLimiterBuilder};

use crate::server::Redis;

const SLOTS: u16 = 16_384;

pub(crate) const OPTIONS: &[&str] = &[
    "--cluster-enabled",
    "yes",
    "--cluster-node-timeout",
    "1000",
    "--cluster-require-full-coverage",
    "no",
    "--repl-diskless-sync-delay",
    "0",
];

pub(crate) struct Clustered {
    /// The primaries, then the replica of each.
    pub(crate) nodes: Vec<Redis>,
    primaries: u16,
}

impl Clustered {
    /// Starts three primaries and three replicas.
    pub(crate) fn start(program: &Path) -> Self {
        Self::start_with(program, 3)
    }

    fn start_with(program: &Path, primaries: u16) -> Self {
        let count = usize::from(primaries) * 2;
        let nodes: Vec<Redis> =
            (0..count).map(|_| Redis::start_program(program, OPTIONS)).collect();
        let this = Self { nodes, primaries };
        for (index, node) in this.nodes.iter().enumerate() {
            let (): () = node.ask(&["CLUSTER", "SET-CONFIG-EPOCH", &(index + 1).to_string()]);
        }
        for index in 0..primaries {
            let slots: Vec<String> = (0..SLOTS)
                .filter(|slot| this.first(*slot) == index)
                .map(|s| s.to_string())
                .collect();
            let words = ["CLUSTER", "ADDSLOTS"].into_iter().chain(slots.iter().map(|s| &**s));
            let (): () = this.nodes[usize::from(index)].ask(&words.collect::<Vec<_>>());
        }
        for node in &this.nodes[1..] {
            let port = node.port().to_string();
            let (): () = this.nodes[0].ask(&["CLUSTER", "MEET", "127.0.0.1", &port]);
        }
        eventually("all nodes meet", || {
            this.nodes.iter().all(|node| info(node, "cluster_known_nodes") == count.to_string())
        });
        for index in 0..usize::from(primaries) {
            let replica = &this.nodes[index + usize::from(primaries)];
            let id = this.id(index);
            eventually("a replica finds its primary", || {
                let nodes: String = replica.ask(&["CLUSTER", "NODES"]);
                nodes.lines().any(|line| line.starts_with(&id) && line.contains("master"))
            });
            let (): () = replica.ask(&["CLUSTER", "REPLICATE", &id]);
        }
        eventually("all nodes agree", || {
            this.nodes.iter().all(|node| {
                let slots: redis::Value = node.ask(&["CLUSTER", "SLOTS"]);
                let ranges: Vec<Vec<redis::Value>> = redis::from_redis_value(slots).unwrap();
                info(node, "cluster_state") == "ok"
                    && ranges.len() == usize::from(primaries)
                    && ranges.iter().all(|range| range.len() == 4)
            }) && this.nodes[usize::from(primaries)..]
                .iter()
                .all(|node| node.ask::<String>(&["INFO", "replication"]).contains("link_status:up"))
        });
        this
    }

    /// Describes a limiter that knows one node.
    pub(crate) fn limiter(&self) -> RedisLimiterBuilder {
        RedisLimiter::cluster([self.nodes[0].url()])
    }

    /// Returns the primary that has a slot at first.
    pub(crate) fn first(&self, slot: u16) -> u16 {
        slot / SLOTS.div_ceil(self.primaries)
    }

    /// Returns accounts of a primary's, by its first slots.
    pub(crate) fn accounts(&self, primary: u16) -> impl Iterator<Item = String> {
        let accounts = (0..).map(|number| format!("account-{number}"));
        accounts.filter(move |account| self.first(slot(account)) == primary)
    }

    pub(crate) fn id(&self, index: usize) -> String {
        self.nodes[index].ask(&["CLUSTER", "MYID"])
    }

    /// Moves a slot with its keys, one after the other.
    pub(crate) fn moves(&self, slot: u16, from: usize, to: usize) {
        let (source, target) = (&self.nodes[from], &self.nodes[to]);
        let (slot, from, to) = (slot.to_string(), self.id(from), self.id(to));
        let set = |node: &Redis, words: &[&str]| {
            let words: Vec<&str> =
                ["CLUSTER", "SETSLOT", &slot].iter().chain(words).copied().collect();
            let (): () = node.ask(&words);
        };
        set(target, &["IMPORTING", &from]);
        set(source, &["MIGRATING", &to]);
        // New keys may come until then.
        thread::sleep(Duration::from_millis(30));
        loop {
            let keys: Vec<String> = source.ask(&["CLUSTER", "GETKEYSINSLOT", &slot, "1"]);
            let Some(key) = keys.first() else { break };
            let port = target.port().to_string();
            let _: String = source.ask(&["MIGRATE", "127.0.0.1", &port, key, "0", "5000"]);
            thread::sleep(Duration::from_millis(10));
        }
        set(target, &["NODE", &to]);
        set(source, &["NODE", &to]);
    }
}

/// Returns the slot of an account.
pub(crate) fn slot(account: &str) -> u16 {
    Crc::<u16>::new(&CRC_16_XMODEM).checksum(account.as_bytes()) % SLOTS
}

pub(crate) fn info(node: &Redis, name: &str) -> String {
    let info: String = node.ask(&["CLUSTER", "INFO"]);
    let field = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    field.unwrap().trim().to_owned()
}

pub(crate) fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(30), "{what}: never");
        thread::sleep(Duration::from_millis(20));
    }
}
