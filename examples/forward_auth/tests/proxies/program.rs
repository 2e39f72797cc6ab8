//! The program itself, with its file, over a Unix socket behind nginx.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use forward_auth::Proxy;
use tower_api_key::key::{Account, Issuer, KeyFormat, KeyHasher, KeyRecord};
use tower_api_key::store::{KeyManager, NewKey};
use tower_api_key_sqlx::SqlStore;

use crate::client::plain;
use crate::proxy::{self, Running};
use crate::upstream::Upstream;

/// The file of the example.
const SHIPPED: &str = include_str!("../../forward-auth.toml");

/// The program and its folder, which end with the test.
struct Program {
    process: Child,
    folder: PathBuf,
    /// The lines that it writes to its standard error.
    told: Receiver<String>,
}

impl Program {
    /// Starts the program with a file, in which `FOLDER` stands for the folder.
    fn start(name: &str, file: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("forward-auth-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("forward-auth.toml");
        fs::write(&path, file.replace("FOLDER", folder.to_str().unwrap())).unwrap();
        let mut program = Command::new(env!("CARGO_BIN_EXE_forward-auth"));
        program.arg(path).current_dir(&folder).stdin(Stdio::null());
        let mut process = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let (tell, told) = channel();
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| tell.send(line)));
        Self { process, folder, told }
    }

    /// Changes the file in one step.
    fn change(&self, from: &str, to: &str) {
        let path = self.folder.join("forward-auth.toml");
        let file = fs::read_to_string(&path).unwrap();
        assert!(file.contains(from), "{from}");
        fs::write(self.folder.join("new"), file.replace(from, to)).unwrap();
        fs::rename(self.folder.join("new"), path).unwrap();
    }

    /// Waits until the program has told a line with this text.
    fn expect(&self, text: &str) {
        let mut before = String::new();
        loop {
            match self.told.recv_timeout(Duration::from_secs(20)) {
                Ok(line) if line.contains(text) => return,
                Ok(line) => before = format!("{before}{line}\n"),
                Err(error) => panic!("{error}: `{text}` is not told, but:\n{before}"),
            }
        }
    }

    /// Sends a signal.
    fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Adds a key to the store of a program.
async fn add_key(program: &Program) -> String {
    let url = format!("sqlite:{}", program.folder.join("keys.db").display());
    let store = SqlStore::builder(url).connect().await.unwrap();
    let key = Issuer::new(KeyFormat::STANDARD, KeyHasher::sha256()).issue(Some("test")).unwrap();
    let account = Account::builder("acme").scopes(["users.read"]).build().unwrap();
    let record = KeyRecord::builder("key_1", account);
    store.add(NewKey::issued(&key, record).unwrap(), "test").await.unwrap();
    key.expose().to_owned()
}

#[tokio::test]
async fn the_program_follows_its_file_and_ends_when_asked() {
    let Some(nginx) = proxy::program(Proxy::Nginx) else { return };
    let Some(upstream) = Upstream::start() else { return };
    let file = SHIPPED.replace("127.0.0.1:9190", "unix:FOLDER/socket");
    let mut program = Program::start("unix", &file);
    let mut lines = BufReader::new(program.process.stdout.take().unwrap()).lines();
    let socket = lines.next().unwrap().unwrap().replace("listening on ", "");
    let key = add_key(&program).await;
    let file = socket.strip_prefix("unix:").unwrap();
    let mode = fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    // If root starts nginx, its workers belong to a user of their own.
    fs::set_permissions(file, fs::Permissions::from_mode(0o666)).unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = [&*made.cert.pem(), &*made.signing_key.serialize_pem()];
    // TLS ends at another proxy, in front of nginx.
    let behind_tls =
        |text: String| text.replace("X-Forwarded-Proto $scheme", "X-Forwarded-Proto https");
    let running =
        Running::start(Proxy::Nginx, &nginx, &socket, upstream.address, certificate, behind_tls);
    let running = running.await;
    let status = async |path: &str, key: &str| {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Api-Key: {key}\r\n\r\n"
        );
        plain("127.0.0.2", running.plain, request.as_bytes()).await.status
    };
    assert_eq!(status("/v1/users", &key).await, 200, "{}", running.log());
    assert_eq!(status("/v1/users", "key_test_unknown").await, 401);
    assert_eq!(status("/v1/orders", &key).await, 403);
    let first = "[[routes]]\nmethods = [\"GET\"]\npath = \"/v1/users\"\n";
    program.change(first, &format!("[[routes]]\npath = \"/v1/orders\"\n\n{first}"));
    program.expect("the new file is in force");
    assert_eq!(status("/v1/orders", &key).await, 200);
    for (from, to, said) in [
        // A rule that forward auth cannot keep.
        ("path = \"/v1/orders\"\n", "path = \"/v1/orders\"\nbudget = \"5s\"\n", "`budget`"),
        ("budget = \"5s\"\n", "proxies = 1\n", "no field `proxies`"),
        ("proxies = 1\n", "cost = 0\n", "the new file is in force"),
        ("proxy = \"nginx\"", "proxy = \"caddy\"", "until a restart"),
        ("proxy = \"caddy\"", "proxy = \"nginx\"\n", ""),
    ] {
        program.change(from, to);
        if said.is_empty() {
            program.signal("-HUP");
        } else {
            program.expect(said);
        }
        assert_eq!(status("/v1/orders", &key).await, 200, "{to}");
    }
    program.expect("the new file is in force");
    program.signal("-TERM");
    assert!(program.process.wait().unwrap().success());
}

#[test]
fn a_wrong_file_is_refused_with_its_place() {
    for (from, to, said) in [
        ("proxy = \"nginx\"", "proxy = \"apache\"", &["forward-auth.toml:6", "apache"][..]),
        ("path = \"/check\"", "path = \"check\"", &["forward-auth.toml:5", "slash"]),
        ("127.0.0.1:9190", "localhost", &["forward-auth.toml:4", "write an address"]),
        ("127.0.0.1:9190", "unix:socket", &["forward-auth.toml:4", "whole path"]),
        ("[forward_auth]", "[forward_oath]", &["forward_auth"]),
        ("always_proxies = true", "", &["always_proxies"]),
        ("base = \"standard\"", "base = \"standard\"\nallow = 1", &["allow"]),
        ("[profile]", "allow_preflight = true\n[profile]", &["allow_preflight"]),
        ("127.0.0.1:9190", "unix:/etc/hostname", &["in use"]),
    ] {
        let mut program = Program::start("wrong", &SHIPPED.replace(from, to));
        assert!(!program.process.wait().unwrap().success(), "{to}");
        let told: Vec<String> = program.told.iter().collect();
        let told = told.join("\n");
        for said in said {
            assert!(told.contains(said), "{to}: `{told}` says nothing of `{said}`");
        }
    }
    assert!(std::path::Path::new("/etc/hostname").exists());
}
