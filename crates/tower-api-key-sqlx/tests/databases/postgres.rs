//! A PostgreSQL server of one test's own, on loopback, in a folder that goes with it.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use super::folder::{Folder, free_port};

pub(crate) struct Postgres {
    folder: Folder,
    /// Kept for servers that start while this one lives.
    #[allow(dead_code)]
    pristine: Arc<Folder>,
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
        let (folder, port, pristine) = (Folder::new(), free_port(), pristine(&programs));
        own(&folder);
        let from = pristine.path().join("data");
        let copied = as_nobody(Command::new("cp")).arg("-a").arg(from).arg(folder.path()).status();
        assert!(copied.unwrap().success());
        let server = serve(&programs, &folder, port);
        Some(Self { folder, pristine, programs, port, url: url_at(port), server })
    }

    /// Starts a hot standby that follows this server.
    #[allow(dead_code)] // Not all who start a server need another.
    pub(crate) fn standby(&self) -> Self {
        let folder = Folder::new();
        own(&folder);
        let copied = as_nobody(Command::new(self.programs.join("pg_basebackup")))
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "test"])
            .args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync", "--pgdata"])
            .arg(folder.path().join("data"))
            .output()
            .unwrap();
        assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
        let port = free_port();
        let server = serve(&self.programs, &folder, port);
        let (programs, pristine) = (self.programs.clone(), self.pristine.clone());
        Self { folder, pristine, programs, port, url: url_at(port), server }
    }

    /// Keeps the server's data as it is now, as a backup or a standby would that hears no more.
    #[allow(dead_code)]
    pub(crate) fn keep_backup(&mut self) {
        self.kill();
        self.copy("data", "backup");
        self.start_again();
    }

    /// Ends the server, and starts one with the data of the backup in its place.
    #[allow(dead_code)]
    pub(crate) fn restore_backup(&mut self) {
        self.kill();
        fs::remove_dir_all(self.data()).unwrap();
        self.copy("backup", "data");
        self.start_again();
    }

    fn copy(&self, from: &str, to: &str) {
        let [from, to] = [from, to].map(|name| self.folder.path().join(name));
        let copied = as_nobody(Command::new("cp")).arg("-a").arg(from).arg(to).status();
        assert!(copied.unwrap().success());
    }

    /// Stops all processes of the server, or lets them go on, as a machine does that is paused.
    #[allow(dead_code)]
    pub(crate) fn freeze(&self, frozen: bool) {
        let signal = if frozen { "-STOP" } else { "-CONT" };
        let parent = self.server.id().to_string();
        let listed = Command::new("pgrep").args(["-P", &parent]).output().unwrap();
        let children = String::from_utf8(listed.stdout).unwrap();
        let all = children.lines().chain([&*parent]);
        // A child may have ended meanwhile.
        let _ = Command::new("kill").arg(signal).args(all).stderr(Stdio::null()).status().unwrap();
    }

    /// Returns the path of one of PostgreSQL's programs.
    #[allow(dead_code)]
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// Returns the folder of the server's data.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
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
        let segment = self.shared_memory();
        // Its children end as soon as they see that it is gone.
        self.server.kill().unwrap();
        self.server.wait().unwrap();
        // The kernel keeps the segment of a server that was killed. After some thousands, none can start any more.
        if let Some(segment) = segment {
            let _ = Command::new("ipcrm").args(["-m", &segment]).stderr(Stdio::null()).status();
        }
    }

    /// Returns the id of the server's segment of System V shared memory; none, if the server has ended and tidied up.
    pub(crate) fn shared_memory(&self) -> Option<String> {
        let lines = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        // The process, the folder, the start, the port, the sockets, the address, and then the key and the id.
        let key_and_id = lines.lines().nth(6)?;
        key_and_id.split_whitespace().nth(1).map(str::to_owned)
    }

    /// Ends the server as `pg_ctl stop -m immediate` does.
    #[allow(dead_code)] // Not all who start one stop it.
    pub(crate) fn stop_immediately(&mut self) {
        let quit = Command::new("kill").args(["-QUIT", &self.server.id().to_string()]).status();
        assert!(quit.unwrap().success());
        self.server.wait().unwrap();
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

/// Returns a folder with the data of a server that has never run. It is made once for all servers that live at the same
/// time: `initdb` takes a second of a processor, and a copy a twentieth.
fn pristine(programs: &Path) -> Arc<Folder> {
    static MADE: Mutex<Weak<Folder>> = Mutex::new(Weak::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(folder) = made.upgrade() {
        return folder;
    }
    let folder = Arc::new(Folder::new());
    own(&folder);
    let initdb = as_nobody(Command::new(programs.join("initdb")))
        .args(["--auth=trust", "--username=test", "--encoding=UTF8", "--no-sync", "--pgdata"])
        .arg(folder.path().join("data"))
        .output()
        .unwrap();
    assert!(initdb.status.success(), "{}", String::from_utf8_lossy(&initdb.stderr));
    *made = Arc::downgrade(&folder);
    folder
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
fn serve(programs: &Path, folder: &Folder, port: u16) -> Child {
    let give_up = Instant::now() + Duration::from_secs(30);
    loop {
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let mut server = as_nobody(Command::new(programs.join("postgres")))
            .arg("-D")
            .arg(folder.path().join("data"))
            .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-F", "-k"])
            .arg(folder.path())
            // In the folder, for a server that is killed leaves it behind.
            .args(["-c", "dynamic_shared_memory_type=mmap"])
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
pub(crate) fn as_nobody(mut command: Command) -> Command {
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

pub(crate) fn own(folder: &Folder) {
    if is_root() {
        std::os::unix::fs::chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    }
}

/// Gives a file to the user that PostgreSQL runs as.
#[allow(dead_code)] // Not all who start a server give it files.
pub(crate) fn own_file(path: &Path) {
    if is_root() {
        std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
}
