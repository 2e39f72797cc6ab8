//! The gateway as a process: TLS with curl, signals, reload of file and certificates, drain, probes.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, KeyPair};
use tower_api_key::key::{Account, Issuer, KeyFormat, KeyHasher, KeyRecord};
use tower_api_key::store::{KeyManager, NewKey};
use tower_api_key_sqlx::SqlStore;

/// A gateway in a process of its own, with TLS.
pub(crate) struct Process {
    child: Child,
    pub(crate) folder: Folder,
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) key: String,
    log: Mutex<mpsc::Receiver<String>>,
}

/// A folder of its own, until the end of the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("gateway-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    /// Writes a certificate for `localhost` and its key.
    pub(crate) fn certify(&self, name: &str) {
        let parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.self_signed(&key).unwrap();
        fs::write(self.0.join(format!("{name}.pem")), certificate.pem()).unwrap();
        fs::write(self.0.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }
}

impl Folder {
    /// Makes a database with a key, and returns the key.
    pub(crate) async fn issue(&self) -> String {
        let url = format!("sqlite:{}", self.file("keys.db"));
        let store = SqlStore::builder(&url).create_if_missing(true).connect().await.unwrap();
        let issuer = Issuer::new(KeyFormat::STANDARD, KeyHasher::sha256());
        let issued = issuer.issue(Some("live")).unwrap();
        let account = Account::builder("account_1").build().unwrap();
        let record = KeyRecord::builder("key_1", account);
        store.add(NewKey::issued(&issued, record).unwrap(), "test").await.unwrap();
        issued.expose().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Returns two free addresses.
fn addresses() -> [SocketAddr; 2] {
    let sockets = [(); 2].map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    sockets.map(|socket| socket.local_addr().unwrap())
}

/// Returns a file with TLS on an address, and a route to an upstream.
pub(crate) fn file(
    folder: &Folder,
    address: SocketAddr,
    admin: SocketAddr,
    upstream: SocketAddr,
) -> String {
    format!(
        "without_grant = true\n\
         [profile]\nbase = 'standard'\n\
         [store]\nurl = 'sqlite:{}'\n\
         [gateway]\nwatch_period = '100ms'\n\
         [[gateway.listeners]]\naddress = '{address}'\n\
         tls = {{ certificate = '{}', private_key = '{}' }}\n\
         [gateway.admin]\naddress = '{admin}'\n\
         [gateway.drain]\ntimeout = '3s'\n\
         [gateway.upstreams.backend]\naddresses = ['{upstream}']\n\
         [[gateway.routes]]\npath = '/'\nupstream = 'backend'\n",
        folder.file("keys.db"),
        folder.file("a.pem"),
        folder.file("a.key"),
    )
}

impl Process {
    pub(crate) async fn before(name: &str, upstream: SocketAddr) -> Self {
        Self::with(name, upstream, |file| file).await
    }

    /// Starts a process by a changed file.
    pub(crate) async fn with(
        name: &str,
        upstream: SocketAddr,
        change: impl Fn(String) -> String,
    ) -> Self {
        let folder = Folder::new(name);
        folder.certify("a");
        let key = folder.issue().await;
        let [address, admin] = addresses();
        let written = change(file(&folder, address, admin, upstream));
        fs::write(folder.file("gateway.toml"), written).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_gateway"))
            .arg(folder.file("gateway.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, log) = mpsc::channel();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        std::thread::spawn(move || {
            lines.map_while(Result::ok).all(|line| sender.send(line).is_ok())
        });
        let process = Self { child, folder, address, admin, key, log: Mutex::new(log) };
        process.wait_for("listening on");
        process
    }

    /// Writes the file anew.
    pub(crate) fn configure(&self, change: impl Fn(String) -> String, upstream: SocketAddr) {
        let file = file(&self.folder, self.address, self.admin, upstream);
        fs::write(self.folder.file("gateway.toml"), change(file)).unwrap();
    }

    /// Waits for a line of the log.
    pub(crate) fn wait_for(&self, text: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(10);
        let (log, mut seen) = (self.log.lock().unwrap(), Vec::new());
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match log.recv_timeout(left) {
                Ok(line) if line.contains(text) => {
                    println!("{line}");
                    return line;
                }
                Ok(line) => {
                    println!("{line}");
                    seen.push(line);
                }
                Err(error) => panic!("{text} was not logged: {error}: {seen:#?}"),
            }
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &id]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for the end of the process.
    pub(crate) fn end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + Duration::from_secs(15);
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the process does not end");
    }

    /// Calls curl with a path, a certificate to trust, and more arguments. Returns the output, or curl's complaint.
    pub(crate) fn curl(&self, trusted: &str, path: &str, more: &[&str]) -> Result<String, String> {
        self.curl_as(&self.key, trusted, path, more)
    }

    /// Calls curl with another key, or with none if it is empty.
    pub(crate) fn curl_as(
        &self,
        key: &str,
        trusted: &str,
        path: &str,
        more: &[&str],
    ) -> Result<String, String> {
        // curl leaves a field without a value out.
        let key = format!("X-Api-Key: {key}");
        let output = Command::new("curl")
            .args(["-q", "-sS", "-i", "--max-time", "15", "--noproxy", "*", "-H", &key])
            .args(["--cacert", &self.folder.file(trusted)])
            .args(more)
            .arg(format!("https://localhost:{}{path}", self.address.port()))
            .output()
            .expect("these tests need curl");
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// Asks a probe. Returns status and content.
    pub(crate) fn probe(&self, path: &str) -> String {
        self.probe_with(path, &[])
    }

    pub(crate) fn probe_with(&self, path: &str, arguments: &[&str]) -> String {
        let output = Command::new("curl")
            .args(["-q", "-sS", "--max-time", "15", "--noproxy", "*", "-w", "%{http_code}"])
            .args(arguments)
            .arg(format!("http://{}{path}", self.admin))
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
