//! A Redis server of one test's own, on loopback, in a folder that goes with it.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

use tower_api_key_redis::{RedisLimiter, RedisLimiterBuilder};

use super::folder::Folder;

pub(crate) struct Redis {
    folder: Folder,
    port: u16,
    program: PathBuf,
    options: &'static [&'static str],
    server: Child,
}

impl Redis {
    /// Lists the programs of all versions that are installed: the system's, and the oldest that is
    /// supported, which `tests/run` puts into `target/redis-6.2`.
    pub(crate) fn programs() -> Vec<PathBuf> {
        let mut programs = Vec::new();
        if Command::new("redis-server").arg("--version").output().is_ok() {
            programs.push("redis-server".into());
        } else {
            assert!(env::var("REQUIRE_SERVERS").as_deref() != Ok("1"), "Redis is missing");
            println!("SKIPPED: Redis is not installed");
        }
        let oldest = env::var_os("REDIS_6_2").map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/redis-6.2/redis-server"),
            PathBuf::from,
        );
        if oldest.exists() {
            programs.push(oldest);
        } else {
            assert!(env::var_os("REDIS_6_2").is_none(), "{} is missing", oldest.display());
            println!("SKIPPED: Redis 6.2 is not installed");
        }
        programs
    }

    /// Starts a server of this program's.
    pub(crate) fn start_program(program: &Path, options: &'static [&'static str]) -> Self {
        let port = free_port();
        let folder = Folder::new();
        let server = serve(program, &folder, port, options);
        Self { folder, port, program: program.to_owned(), options, server }
    }

    /// Starts a server, of `REDIS_SERVER` if that is set; none if Redis is not installed, which fails the
    /// test if `REQUIRE_SERVERS=1`.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// Starts a server with options of its own.
    pub(crate) fn start_with(options: &'static [&'static str]) -> Option<Self> {
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
        let client = redis::Client::open(self.url()).unwrap();
        let (first, rest) = words.split_first().unwrap();
        redis::cmd(first).arg(rest).query(&mut client.get_connection().unwrap()).unwrap()
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
        let told: String = self.ask(&["INFO", "commandstats"]);
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
        self.server = serve(&self.program, &self.folder, self.port, self.options);
    }
}

/// Returns a port that is free, with one for the bus of a cluster, which is greater by 10,000.
pub(crate) fn free_port() -> u16 {
    loop {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let bus = port.checked_add(10_000);
        if bus.is_some_and(|bus| TcpListener::bind(("127.0.0.1", bus)).is_ok()) {
            return port;
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

#[allow(clippy::zombie_processes)] // It is waited for where it is killed.
fn serve(program: &Path, folder: &Folder, port: u16, options: &[&str]) -> Child {
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
