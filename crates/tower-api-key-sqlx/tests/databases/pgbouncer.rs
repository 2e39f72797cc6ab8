//! A PgBouncer of one test's own in front of a server, in transaction mode.

use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use crate::folder::{Folder, free_port};
use crate::postgres::{Postgres, as_nobody, own, url_at};

pub(crate) struct PgBouncer {
    _folder: Folder,
    port: u16,
    pooler: Child,
}

impl PgBouncer {
    /// Starts a pooler with so many sessions at the server; none if PgBouncer is not installed, which fails the
    /// test if `REQUIRE_SERVERS=1`.
    pub(crate) fn before(server: &Postgres, sessions: u32) -> Option<Self> {
        let programs = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"];
        let Some(program) = programs.iter().find(|path| fs::exists(path).unwrap_or(false)) else {
            assert!(env::var("REQUIRE_SERVERS").as_deref() != Ok("1"), "PgBouncer is missing");
            println!("SKIPPED: PgBouncer is not installed");
            return None;
        };
        let folder = Folder::new();
        own(&folder);
        let port = free_port();
        let settings = format!(
            "[databases]\n\
             postgres = host=127.0.0.1 port={} user=test\n\
             [pgbouncer]\n\
             listen_addr = 127.0.0.1\n\
             listen_port = {port}\n\
             unix_socket_dir =\n\
             auth_type = any\n\
             pool_mode = transaction\n\
             default_pool_size = {sessions}\n\
             max_client_conn = 1000\n",
            server.port()
        );
        let file = folder.path().join("pgbouncer.ini");
        fs::write(&file, settings).unwrap();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let pooler = as_nobody(Command::new(program))
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let give_up = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = fs::read_to_string(folder.path().join("log")).unwrap_or_default();
            assert!(Instant::now() < give_up, "PgBouncer does not start: {log}");
            thread::sleep(Duration::from_millis(20));
        }
        Some(Self { _folder: folder, port, pooler })
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        url_at(self.port)
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        self.pooler.kill().unwrap();
        self.pooler.wait().unwrap();
    }
}
