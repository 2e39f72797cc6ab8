//! Servers that are there and do not serve: demoted, out of memory, forbidden; in every version.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tower_api_key::caller::Caller;
use tower_api_key::clock::{Clock, SystemClock};
use tower_api_key::key::{Account, KeyRecord};
use tower_api_key::limits::{Charge, ChargeMode, Limiter, LimiterError};
use tower_api_key::quota::{AppliedQuotas, Quota};
use tower_api_key_redis::RedisLimiter;

use crate::relay::Relay;
use crate::server::with_each_program;
use crate::{Redis, TURNS};

/// How long after a server is well again at the latest it is asked again: the longest pause, and a busy
/// machine's time.
const FOUND: Duration = Duration::from_secs(4);

/// A limiter, and what it is asked.
pub(crate) struct Asked {
    limiter: RedisLimiter,
    record: KeyRecord,
    pub(crate) quotas: [Quota; 1],
}

impl Asked {
    pub(crate) fn new(url: &str) -> Self {
        Self::with(RedisLimiter::builder(url).timeout(Duration::from_secs(5)).build().unwrap())
    }

    pub(crate) fn with(limiter: RedisLimiter) -> Self {
        let account = Arc::new(Account::builder("acme").build().unwrap());
        let record = KeyRecord::builder("key_1", account).build().unwrap();
        let quotas = [Quota::new("minute", 1_000_000, Duration::from_secs(60))];
        Self { limiter, record, quotas }
    }

    pub(crate) const fn limiter(&self) -> &RedisLimiter {
        &self.limiter
    }

    pub(crate) async fn ask(&self) -> Result<(), LimiterError> {
        let quotas = AppliedQuotas { general: &self.quotas, route: &[] };
        let (record, mode, now) = (&self.record, ChargeMode::IfAllowed, SystemClock.now());
        self.limiter
            .charge(Charge { caller: Caller::Key(record), quotas, cost: 1, mode, now })
            .await
            .map(drop)
    }

    /// Waits until it is answered again.
    async fn is_answered_again(&self, what: &str) {
        let began = Instant::now();
        while let Err(error) = self.ask().await {
            let told = told(&error);
            assert!(began.elapsed() < FOUND, "{what}: it never recovers: {told}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        println!("{what}: answered again after {:.1?}", began.elapsed());
    }
}

/// All that an error says.
pub(crate) fn told(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        told = format!("{told}: {source}");
        cause = source.source();
    }
    told
}

/// How often the server was asked to run a script, refused or not.
fn calls(server: &Redis) -> u64 {
    let stats: String = server.ask(&["INFO", "commandstats"]);
    let line = stats.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:"));
    let count = |name: &str| -> u64 {
        let mut fields = line.into_iter().flat_map(|line| line.trim().split(','));
        let count = fields.find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
        count.map_or(0, |count| count.parse().unwrap())
    };
    count("calls") + count("rejected_calls")
}

fn version(program: &Path) -> String {
    let told = std::process::Command::new(program).arg("--version").output().unwrap().stdout;
    let told = String::from_utf8(told).unwrap();
    told.split_whitespace().find_map(|word| word.strip_prefix("v=")).unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_was_demoted_is_left_for_its_successor() {
    let _turn = TURNS.read().await;
    for program in Redis::programs() {
        let version = version(&program);
        let (one, other) =
            (Redis::start_program(&program, &[]), Redis::start_program(&program, &[]));
        let relay = Relay::to(one.port()).await;
        let asked = Asked::new(&relay.url());
        asked.ask().await.unwrap();
        let (): () = one.ask(&["REPLICAOF", "127.0.0.1", &other.port().to_string()]);
        // Only new connections are led to the successor.
        relay.leads_to(other.port());
        let began = Instant::now();
        let mut refused = 0;
        for _ in 0..100 {
            refused += usize::from(asked.ask().await.is_err());
        }
        println!("Redis {version}: {refused} of 100 refused, {:.1?}", began.elapsed());
        assert_eq!(refused, 0, "Redis {version}: each is asked once more over another connection");
        assert!(other.scripts_run() >= 100);
    }
}

/// Something that makes a server refuse, and its end.
struct Trouble {
    name: &'static str,
    begins: &'static [&'static [&'static str]],
    ends: &'static [&'static [&'static str]],
    /// What the operator is told.
    told: &'static str,
}

const TROUBLES: &[Trouble] = &[
    Trouble {
        name: "a replica",
        begins: &[&["REPLICAOF", "127.0.0.1", "1"]],
        ends: &[&["REPLICAOF", "NO", "ONE"]],
        told: "READONLY You can't write against a read only replica",
    },
    Trouble {
        name: "a replica that serves nothing without its primary",
        begins: &[
            &["CONFIG", "SET", "replica-serve-stale-data", "no"],
            &["REPLICAOF", "127.0.0.1", "1"],
        ],
        ends: &[&["REPLICAOF", "NO", "ONE"]],
        told: "MASTERDOWN",
    },
    Trouble {
        name: "out of memory",
        begins: &[&["CONFIG", "SET", "maxmemory", "1"]],
        ends: &[&["CONFIG", "SET", "maxmemory", "0"]],
        told: "OOM ",
    },
    Trouble {
        name: "too few replicas",
        begins: &[&["CONFIG", "SET", "min-replicas-to-write", "1"]],
        ends: &[&["CONFIG", "SET", "min-replicas-to-write", "0"]],
        told: "NOREPLICAS ",
    },
    Trouble {
        name: "no permission for scripts",
        begins: &[&["ACL", "SETUSER", "limiter", "-evalsha"]],
        ends: &[&["ACL", "SETUSER", "limiter", "+evalsha"]],
        told: "NOPERM ",
    },
    Trouble {
        name: "no permission inside of the script",
        begins: &[&["ACL", "SETUSER", "limiter", "-hset"]],
        ends: &[&["ACL", "SETUSER", "limiter", "+hset"]],
        told: "NOPERM ",
    },
    Trouble {
        name: "another password",
        begins: &[
            &["ACL", "SETUSER", "limiter", "resetpass", ">another"],
            &["CLIENT", "KILL", "TYPE", "normal"],
        ],
        ends: &[&["ACL", "SETUSER", "limiter", ">a-secret-word"]],
        told: "authentication failed",
    },
    Trouble {
        name: "a user that is off",
        begins: &[&["ACL", "SETUSER", "limiter", "off"], &["CLIENT", "KILL", "TYPE", "normal"]],
        ends: &[&["ACL", "SETUSER", "limiter", "on"]],
        told: "authentication failed",
    },
];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refusal_that_lasts_is_paid_for_now_and_then_and_ends_by_itself() {
    let _turn = TURNS.read().await;
    with_each_program(|program| async move {
        for trouble in TROUBLES {
            let server = Redis::start_program(&program, &[]);
            let what = format!("Redis {}, {}", version(&program), trouble.name);
            let rights = ["ACL", "SETUSER", "limiter", "on", ">a-secret-word", "~*", "+@all"];
            let (): () = server.ask(&rights);
            let asked =
                Asked::new(&format!("redis://limiter:a-secret-word@127.0.0.1:{}", server.port()));
            asked.ask().await.unwrap();
            let say = |commands: &[&[&str]]| {
                for command in commands {
                    let _: redis::Value = server.ask(command);
                }
            };
            say(trouble.begins);
            let before = calls(&server);
            let began = Instant::now();
            let (mut asks, mut last) = (0, None);
            while began.elapsed() < Duration::from_millis(1_500) {
                last = Some(asked.ask().await.expect_err(&what));
                asks += 1;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let (told, paid) = (told(&last.unwrap()), calls(&server) - before);
            println!("{what}: {paid} calls for {asks} requests; {told}");
            assert!(told.contains(trouble.told), "{what}: {told}");
            assert!(!told.contains("a-secret-word"), "{told}");
            assert!(asks > 200 && paid < 20, "{what}: {paid} calls for {asks} requests");
            say(trouble.ends);
            asked.is_answered_again(&what).await;
        }
    })
    .await;
}

/// One account's data that is not the limiter's keeps no other account from being counted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_data_of_one_account_closes_nobody_else_out() {
    let _turn = TURNS.read().await;
    for program in Redis::programs() {
        let server = Redis::start_program(&program, &[]);
        let (broken, mut well) = (Asked::new(&server.url()), Asked::new(&server.url()));
        well.limiter = broken.limiter.clone();
        let account = Arc::new(Account::builder("other").build().unwrap());
        well.record = KeyRecord::builder("key_2", account).build().unwrap();
        broken.ask().await.unwrap();
        let keys: Vec<String> = server.ask(&["KEYS", "*"]);
        let (): () = server.ask(&["SET", &keys[0], "not a hash"]);
        for _ in 0..20 {
            let error = broken.ask().await.unwrap_err();
            assert!(told(&error).contains("WRONGTYPE"), "{}", told(&error));
        }
        well.ask().await.unwrap();
    }
}
