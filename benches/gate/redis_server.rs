//! A Redis server of this bench's own, on loopback, in a folder that is removed with it.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running server.
pub(crate) struct RedisServer {
    server: Child,
    port: u16,
    folder: PathBuf,
}

impl RedisServer {
    /// Starts `redis-server`, or the program that the variable `REDIS_SERVER` names. Returns `None` if it is not
    /// installed.
    pub(crate) fn start() -> Option<Self> {
        let program = env::var_os("REDIS_SERVER").unwrap_or_else(|| "redis-server".into());
        let port = free_port();
        let folder = env::temp_dir().join(format!("gate-bench-redis-{}-{port}", process::id()));
        fs::create_dir_all(&folder).expect("a folder of its own");
        let server = Command::new(program)
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(["--save", "", "--appendonly", "no", "--daemonize", "no", "--dir"])
            .arg(&folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(server) = server else {
            let _ = fs::remove_dir_all(&folder);
            return None;
        };
        let running = Self { server, port, folder };
        let began = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(began.elapsed() < PATIENCE, "Redis does not start");
            thread::sleep(Duration::from_millis(5));
        }
        Some(running)
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}
