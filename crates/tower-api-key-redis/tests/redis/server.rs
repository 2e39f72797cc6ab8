//! A Redis server of one test's own, on loopback, in a folder that goes with it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

use tower_api_key_redis::{RedisLimiter, RedisLimiterBuilder};

use super::folder::{Folder, free_port};

pub(crate) struct Redis {
    folder: Folder,
    port: u16,
    program: PathBuf,
    options: Vec<String>,
    server: Child,
}

impl Redis {
    /// Lists the programs of all kinds that are installed: the system's, the oldest that is supported, and Valkey.
    /// `tests/run` puts the others into `target/redis-6.2` and `target/valkey`.
    pub(crate) fn programs() -> Vec<PathBuf> {
        let mut programs = Vec::new();
        if Command::new("redis-server").arg("--version").output().is_ok() {
            programs.push("redis-server".into());
        } else {
            assert!(env::var("REQUIRE_SERVERS").as_deref() != Ok("1"), "Redis is missing");
            println!("SKIPPED: Redis is not installed");
        }
        for (name, variable, path) in [
            ("Redis 6.2", "REDIS_6_2", "redis-6.2/redis-server"),
            ("Valkey", "VALKEY", "valkey/valkey-server"),
        ] {
            let program = env::var_os(variable).map_or_else(
                || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target").join(path),
                PathBuf::from,
            );
            if program.exists() {
                programs.push(program);
            } else {
                assert!(env::var_os(variable).is_none(), "{} is missing", program.display());
                println!("SKIPPED: {name} is not installed");
            }
        }
        programs
    }

    /// Starts a server of this program's.
    pub(crate) fn start_program(program: &Path, options: &[&str]) -> Self {
        let port = free_port();
        let folder = Folder::new();
        let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
        let server = serve(program, &folder, port, &options);
        Self { folder, port, program: program.to_owned(), options, server }
    }

    /// Starts a server, of `REDIS_SERVER` if that is set; none if Redis is not installed, which fails the
    /// test if `REQUIRE_SERVERS=1`.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// Starts a server with options of its own.
    pub(crate) fn start_with(options: &[&str]) -> Option<Self> {
        let program = env::var_os("REDIS_SERVER").unwrap_or_else(|| "redis-server".into());
        if Command::new(&program).arg("--version").output().is_err() {
            assert!(env::var("REQUIRE_SERVERS").as_deref() != Ok("1"), "Redis is missing");
            println!("SKIPPED: Redis is not installed");
            return None;
        }
        Some(Self::start_program(Path::new(&program), options))
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Describes a limiter that waits for answers longer than a busy machine takes.
    pub(crate) fn limiter(&self) -> RedisLimiterBuilder {
        RedisLimiter::builder(&self.url()).timeout(Duration::from_secs(20))
    }

    /// Describes a limiter for the cluster of which the server is a node.
    pub(crate) fn cluster_limiter(&self) -> RedisLimiterBuilder {
        RedisLimiter::cluster([self.url()]).timeout(Duration::from_secs(20))
    }

    /// Asks the server something by itself.
    pub(crate) fn ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> T {
        self.try_ask(words).unwrap()
    }

    /// Asks the server something by itself. A Sentinel closes the connections of a server that it changes.
    pub(crate) fn try_ask<T: redis::FromRedisValue>(
        &self,
        words: &[&str],
    ) -> redis::RedisResult<T> {
        let client = redis::Client::open(self.url()).unwrap();
        let (first, rest) = words.split_first().unwrap();
        redis::cmd(first).arg(rest).query(&mut client.get_connection()?)
    }

    /// Makes one server a whole cluster. Redis 6.2 takes slots one by one.
    pub(crate) fn takes_all_slots(&self) {
        let slots: Vec<String> = (0..16_384).map(|slot| slot.to_string()).collect();
        let words: Vec<&str> =
            ["CLUSTER", "ADDSLOTS"].into_iter().chain(slots.iter().map(|slot| &**slot)).collect();
        let () = self.ask(&words);
    }

    /// How many scripts the server has run; to be asked for one that it does not know is none.
    pub(crate) fn scripts_run(&self) -> u64 {
        let told: String = loop {
            if let Ok(told) = self.try_ask(&["INFO", "commandstats"]) {
                break told;
            }
        };
        let line = told.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:"));
        let count = |name: &str| -> u64 {
            let mut fields = line.into_iter().flat_map(|line| line.trim().split(','));
            let value = fields.find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
            value.map_or(0, |value| value.parse().unwrap())
        };
        count("calls") - count("failed_calls")
    }

    /// Sends the server a signal: `STOP`, `CONT`.
    pub(crate) fn signal(&self, name: &str) {
        let (signal, process) = (format!("-{name}"), self.server.id().to_string());
        assert!(Command::new("kill").args([signal, process]).status().unwrap().success());
    }

    /// Ends the server without a chance to tidy up.
    pub(crate) fn kill(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }

    /// Starts it again, empty.
    pub(crate) fn start_again(&mut self) {
        self.server = serve(&self.program, &self.folder, self.port, &self.options);
    }
}

/// Runs a test with each program that is installed, at the same time.
pub(crate) async fn with_each_program<F: Future<Output = ()> + Send + 'static>(
    test: impl Fn(PathBuf) -> F,
) {
    let mut running = tokio::task::JoinSet::new();
    for program in Redis::programs() {
        running.spawn(test(program));
    }
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

#[allow(clippy::zombie_processes)] // It is waited for where it is killed.
fn serve(program: &Path, folder: &Folder, port: u16, options: &[String]) -> Child {
    let server = Command::new(program)
        .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
        .args(["--save", "", "--appendonly", "no", "--daemonize", "no", "--dir"])
        .arg(folder.path())
        .args(options)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let client = redis::Client::open(format!("redis://127.0.0.1:{port}")).unwrap();
    let give_up = Instant::now() + Duration::from_secs(20);
    while client.get_connection().is_err() {
        assert!(Instant::now() < give_up, "Redis does not start");
        thread::sleep(Duration::from_millis(5));
    }
    server
}
