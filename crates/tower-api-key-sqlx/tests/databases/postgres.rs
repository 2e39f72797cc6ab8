//! A PostgreSQL server of one test's own, on loopback, in a folder that goes with it.

use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use super::folder::Folder;

pub(crate) struct Postgres {
    folder: Folder,
    programs: PathBuf,
    port: u16,
    url: String,
    server: Child,
}

impl Postgres {
    /// Starts a server; none if PostgreSQL is not installed, which fails the test if
    /// `REQUIRE_SERVERS=1`.
    pub(crate) fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            assert!(env::var("REQUIRE_SERVERS").as_deref() != Ok("1"), "PostgreSQL is missing");
            println!("SKIPPED: PostgreSQL is not installed");
            return None;
        };
        let folder = Folder::new();
        own(&folder);
        let data = folder.path().join("data");
        let made = as_nobody(Command::new(programs.join("initdb")))
            .args(["--auth=trust", "--username=test", "--encoding=UTF8", "--no-sync", "--pgdata"])
            .arg(&data)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let url = url_at(port);
        let server = serve(&programs, &folder, port);
        Some(Self { folder, programs, port, url, server })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Returns what the server has written to its log.
    #[allow(dead_code)] // Not all who start one read it.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// Ends the server without a chance to tidy up.
    pub(crate) fn kill(&mut self) {
        // Its children end as soon as they see that it is gone, and so does their shared memory.
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }

    /// Ends the server as `pg_ctl stop -m immediate` does.
    #[allow(dead_code)] // Not all who start one stop it.
    pub(crate) fn stop_immediately(&mut self) {
        let quit = Command::new("kill").args(["-QUIT", &self.server.id().to_string()]).status();
        assert!(quit.unwrap().success());
        self.server.wait().unwrap();
    }

    /// Stops the server and all its processes where they are, or lets them go on. Connections stay open.
    #[allow(dead_code)] // Not all who start one freeze it.
    pub(crate) fn freeze(&self, frozen: bool) {
        let server = self.server.id();
        let children = fs::read_to_string(format!("/proc/{server}/task/{server}/children"));
        let children = children.unwrap();
        let processes = children.split_whitespace().map(str::to_owned);
        let processes = std::iter::once(server.to_string()).chain(processes);
        signal(if frozen { "-STOP" } else { "-CONT" }, processes);
    }

    pub(crate) fn start_again(&mut self) {
        self.server = serve(&self.programs, &self.folder, self.port);
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Sends a signal to processes that a test started.
#[allow(dead_code)] // Not all who start a server send one.
pub(crate) fn signal(name: &str, processes: impl IntoIterator<Item = String>) {
    let sent = Command::new("kill").arg(name).args(processes).status();
    assert!(sent.unwrap().success());
}

/// Names the database of a server that is reached at this port of this machine.
pub(crate) fn url_at(port: u16) -> String {
    format!("postgres://test@127.0.0.1:{port}/postgres")
}

#[allow(clippy::zombie_processes)] // It is waited for where it is killed.
fn serve(programs: &std::path::Path, folder: &Folder, port: u16) -> Child {
    let give_up = Instant::now() + Duration::from_secs(30);
    loop {
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let mut server = as_nobody(Command::new(programs.join("postgres")))
            .arg("-D")
            .arg(folder.path().join("data"))
            .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-F", "-k"])
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        while Instant::now() < give_up {
            let ready = Command::new(programs.join("pg_isready"))
                .args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()])
                .status()
                .unwrap();
            if ready.success() {
                return server;
            }
            if server.try_wait().unwrap().is_some() {
                break; // The children of one that was killed may hold its memory for a moment.
            }
            thread::sleep(Duration::from_millis(20));
        }
        let log = fs::read_to_string(folder.path().join("log")).unwrap_or_default();
        assert!(Instant::now() < give_up, "PostgreSQL does not start: {log}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Finds the folder of PostgreSQL's programs; those of the newest version.
fn programs() -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .collect();
    folders.sort();
    folders.reverse();
    folders.extend(env::split_paths(&env::var_os("PATH")?));
    folders.into_iter().find(|folder| folder.join("initdb").exists())
}

const NOBODY: u32 = 65_534;

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n")
}

/// PostgreSQL does not run as root.
fn as_nobody(mut command: Command) -> Command {
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

fn own(folder: &Folder) {
    if is_root() {
        std::os::unix::fs::chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    }
}
