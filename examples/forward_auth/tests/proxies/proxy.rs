//! Real proxies, which run the configurations that the example ships.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use forward_auth::Proxy;
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::client;

/// A proxy, in a folder of its own; both go with it.
pub(crate) struct Running {
    pub(crate) plain: SocketAddr,
    pub(crate) tls: SocketAddr,
    folder: PathBuf,
    process: Child,
}

/// Returns the name of a proxy's program.
pub(crate) const fn name(proxy: Proxy) -> &'static str {
    match proxy {
        Proxy::Nginx => "nginx",
        Proxy::Traefik => "traefik",
        Proxy::Caddy => "caddy",
        Proxy::Envoy => "envoy",
    }
}

/// Returns the program of a proxy: from the folder `FORWARD_AUTH_PROXIES`, or from the path. Without the program the
/// test is skipped, or fails if `REQUIRE_PROXIES` names the proxy; for nginx, if `REQUIRE_SERVERS=1`.
pub(crate) fn program(proxy: Proxy) -> Option<PathBuf> {
    let name = name(proxy);
    let folder = env::var_os("FORWARD_AUTH_PROXIES").map(PathBuf::from);
    let own = folder.map(|folder| folder.join(name)).filter(|program| program.exists());
    let program = own.unwrap_or_else(|| name.into());
    let argument = if proxy == Proxy::Nginx { "-v" } else { "version" };
    let argument = if proxy == Proxy::Envoy { "--version" } else { argument };
    if Command::new(&program).arg(argument).output().is_ok() {
        return Some(program);
    }
    let mut required = env::var("REQUIRE_PROXIES").unwrap_or_default();
    if env::var("REQUIRE_SERVERS").as_deref() == Ok("1") {
        required.push_str(" nginx");
    }
    assert!(!required.split(' ').any(|required| required == name), "{name} is missing");
    println!("SKIPPED: {name} is not installed");
    None
}

impl Running {
    /// Starts a proxy between a checker and a service, with this certificate and its key. `change` may change the
    /// configuration.
    pub(crate) async fn start(
        proxy: Proxy,
        program: &Path,
        checker: &str,
        service: SocketAddr,
        [certificate, key]: [&str; 2],
        change: impl Fn(String) -> String,
    ) -> Self {
        // Another program may take a port before the proxy does.
        for _ in 0..5 {
            let running =
                Self::spawn(proxy, program, checker, service, [certificate, key], &change);
            if let Some(running) = running.asks().await {
                return running;
            }
        }
        panic!("the proxy found no ports in five tries");
    }

    fn spawn(
        proxy: Proxy,
        program: &Path,
        checker: &str,
        service: SocketAddr,
        [certificate, key]: [&str; 2],
        change: &impl Fn(String) -> String,
    ) -> Self {
        // Both are held at once, or they could be one.
        let held = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [plain, tls] = held.map(|listener| listener.local_addr().unwrap());
        let folder = env::temp_dir().join(format!("forward-auth-{}-{}", name(proxy), plain.port()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("certificate.pem"), certificate).unwrap();
        fs::write(folder.join("key.pem"), key).unwrap();
        let files: &[&str] = match proxy {
            Proxy::Nginx => &["nginx.conf"],
            Proxy::Traefik => &["traefik.yml", "traefik-routes.yml"],
            Proxy::Caddy => &["Caddyfile"],
            Proxy::Envoy => &["envoy.yaml"],
        };
        for file in files {
            let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("proxies").join(file);
            let text = change(fs::read_to_string(shipped).unwrap());
            // In two steps: a port that is written may have the digits of one that is looked for.
            let ports = [
                ("127.0.0.1:9190", checker.to_owned()),
                ("127.0.0.1:9191", service.to_string()),
                (
                    "port_value: 9190",
                    format!("port_value: {}", checker.rsplit(':').next().unwrap()),
                ),
                ("port_value: 9191", format!("port_value: {}", service.port())),
                ("8080", plain.port().to_string()),
                ("8443", tls.port().to_string()),
            ];
            let numbered = ports.iter().enumerate();
            let marked = numbered.clone().fold(text, |text, (index, (shipped, _))| {
                text.replace(shipped, &format!("<port {index}>"))
            });
            let text = numbered.fold(marked, |text, (index, (_, own))| {
                text.replace(&format!("<port {index}>"), own)
            });
            let text = text.replace("/etc/forward-auth", folder.to_str().unwrap());
            let text = match proxy {
                Proxy::Nginx => text.replace("http {\n", &temporary(&folder)),
                _ => text,
            };
            fs::write(folder.join(file), text).unwrap();
        }
        let mut command = Command::new(program);
        match proxy {
            Proxy::Nginx => {
                let global = format!("daemon off; pid {}/pid;", folder.display());
                command.args(["-e", "stderr", "-g", &global, "-c"]).arg(folder.join("nginx.conf"))
            }
            Proxy::Traefik => command.arg("--configFile=traefik.yml"),
            Proxy::Caddy => command.args(["run", "--config", "Caddyfile"]),
            Proxy::Envoy => command.args([
                "-c",
                "envoy.yaml",
                "--use-dynamic-base-id",
                "--concurrency",
                "1",
                "-l",
                "error",
            ]),
        };
        let log = fs::File::create(folder.join("log")).unwrap();
        command.current_dir(&folder).env("HOME", &folder).stdin(Stdio::null());
        command.stdout(log.try_clone().unwrap()).stderr(log);
        let process = command.spawn().unwrap();
        Self { plain, tls, folder, process }
    }

    /// Waits until the proxy passes on what the checker says of a request without a key. Returns nothing if a port of
    /// the proxy was taken.
    async fn asks(mut self) -> Option<Self> {
        for _ in 0..400 {
            if let Some(status) = self.process.try_wait().unwrap() {
                let log = self.log();
                let is_taken = ["address already in use", "in use)", "duplicate address"]
                    .iter()
                    .any(|words| log.to_lowercase().contains(words));
                assert!(is_taken, "the proxy ended with {status}:\n{log}");
                return None;
            }
            if TcpStream::connect(self.plain).await.is_ok() {
                let request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
                let answer = client::plain("127.0.0.1", self.plain, request).await;
                if matches!(answer.status, 400 | 401) {
                    return Some(self);
                }
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("the proxy does not ask:\n{}", self.log());
    }

    /// Returns the last lines that the proxy has logged.
    pub(crate) fn log(&self) -> String {
        let log = fs::read_to_string(self.folder.join("log")).unwrap();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(9)..].join("\n")
    }
}

/// Moves nginx's temporary files into the folder.
fn temporary(folder: &Path) -> String {
    let folder = folder.display();
    let paths = ["client_body", "fastcgi", "uwsgi", "scgi", "proxy"];
    let paths = paths.map(|name| format!("    {name}_temp_path {folder}/{name};\n")).concat();
    format!("http {{\n    access_log off;\n{paths}")
}

impl Drop for Running {
    fn drop(&mut self) {
        // nginx's workers end with their master, if it may tell them.
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        for _ in 0..100 {
            if self.process.try_wait().is_ok_and(|ended| ended.is_some()) {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
