//! A Redis server of one test's own, on loopback, in a folder that goes with it.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

use tower_api_key::limits::{RedisLimiter, RedisLimiterBuilder};

use super::folder::Folder;

pub(crate) struct Redis {
    folder: Folder,
    port: u16,
    options: &'static [&'static str],
    server: Child,
}

impl Redis {
    /// Starts a server; none if Redis is not installed, which fails the test if `REQUIRE_SERVERS=1`.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// Starts a server with options of its own.
    pub(crate) fn start_with(options: &'static [&'static str]) -> Option<Self> {
        if Command::new("redis-server").arg("--version").output().is_err() {
            assert!(env::var("REQUIRE_SERVERS").as_deref() != Ok("1"), "Redis is missing");
            println!("SKIPPED: Redis is not installed");
            return None;
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = Folder::new();
        let server = serve(&folder, port, options);
        Some(Self { folder, port, options, server })
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Describes a limiter that waits for answers longer than a busy machine takes.
    pub(crate) fn limiter(&self) -> RedisLimiterBuilder {
        RedisLimiter::builder(&self.url()).timeout(Duration::from_secs(20))
    }

    /// Asks the server something by itself.
    pub(crate) fn ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> T {
        let client = redis::Client::open(self.url()).unwrap();
        let (first, rest) = words.split_first().unwrap();
        redis::cmd(first).arg(rest).query(&mut client.get_connection().unwrap()).unwrap()
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
        self.server = serve(&self.folder, self.port, self.options);
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

#[allow(clippy::zombie_processes)] // It is waited for where it is killed.
fn serve(folder: &Folder, port: u16, options: &[&str]) -> Child {
    let server = Command::new("redis-server")
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
