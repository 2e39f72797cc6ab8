//! A real shared cache in front of an optional gate: nginx, which stores what the service calls public.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use tokio::net::TcpStream;
use tokio::time::sleep;
use tower_api_key::profile::CredentialSource;
use tower_api_key::{Grant, Profile};

use super::gates::gate;
use super::server::Server;
use super::wire::{Answer, Client, head};
use crate::folder::free_port;
use crate::support::{KEY, PROFILE};

/// nginx, in a folder of its own; both go with it.
struct Cache {
    folder: PathBuf,
    port: u16,
    process: Child,
}

impl Cache {
    /// Starts nginx in front of a server; none if it is not installed, which fails the test if
    /// `REQUIRE_SERVERS=1`.
    async fn before(server: &Server) -> Option<Self> {
        if Command::new("nginx").arg("-v").output().is_err() {
            assert!(env::var("REQUIRE_SERVERS").as_deref() != Ok("1"), "nginx is missing");
            println!("SKIPPED: nginx is not installed");
            return None;
        }
        let port = free_port();
        let folder = env::temp_dir().join(format!("tower-api-key-cache-{port}"));
        fs::create_dir_all(&folder).unwrap();
        let at = folder.display();
        let temporary = ["client_body", "fastcgi", "uwsgi", "scgi", "proxy"]
            .map(|name| format!("{name}_temp_path {at}/{name};"))
            .concat();
        let configuration = format!(
            "daemon off; master_process off; pid {at}/pid; error_log {at}/log;
            events {{}}
            http {{
                access_log off; {temporary}
                proxy_cache_path {at}/cache keys_zone=answers:1m use_temp_path=off;
                server {{
                    listen 127.0.0.1:{port};
                    location / {{
                        proxy_pass http://{};
                        proxy_cache answers;
                        add_header X-Cache $upstream_cache_status always;
                    }}
                }}
            }}",
            server.address
        );
        fs::write(folder.join("nginx.conf"), configuration).unwrap();
        let mut nginx = Command::new("nginx");
        nginx.arg("-e").arg(folder.join("log")).arg("-c").arg(folder.join("nginx.conf"));
        let process = nginx.stdin(Stdio::null()).spawn().unwrap();
        let cache = Self { folder, port, process };
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Some(cache);
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("nginx does not listen");
    }

    async fn get(&self, lines: &str) -> Answer {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        let mut client = Client::over(stream);
        client.send(head("GET /notes HTTP/1.1", lines)).await;
        client.answer().await
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[tokio::test]
async fn a_shared_cache_tells_strangers_keys_and_bad_keys_apart() {
    const BEARER: Profile = Profile { credentials: &[CredentialSource::bearer()], ..PROFILE };
    let by_authorization = format!("Authorization: Bearer {KEY}");
    let by_own_header = format!("X-Api-Key: {KEY}");
    for (profile, line) in
        [(BEARER, &by_authorization), (PROFILE, &by_authorization), (PROFILE, &by_own_header)]
    {
        let layer = gate(profile, KEY, |key| key).optional().build().unwrap();
        let server = Server::serving(&layer, |parts, _| {
            let grant = parts.extensions.get::<Grant>();
            let text = grant.map_or("public notes", |_| "notes of acme");
            let response = Response::builder().header("cache-control", "public, max-age=60");
            response.body(Full::new(Bytes::from(text))).unwrap()
        })
        .await;
        let Some(cache) = Cache::before(&server).await else { return };
        let bad = line.replace(KEY, "unknown_0123456789abcdef");
        for (lines, status, body, cached) in [
            ("", 200, "public notes", "MISS"),
            ("", 200, "public notes", "HIT"),
            (line.as_str(), 200, "notes of acme", "MISS"),
            (&bad, 401, "", "MISS"),
            (line, 200, "notes of acme", "HIT"),
            (&bad, 401, "", "MISS"),
            ("", 200, "public notes", "HIT"),
        ] {
            let answer = cache.get(lines).await;
            let told = (answer.status(), answer.field("x-cache"));
            assert_eq!(told, (status, Some(cached)), "{lines}: {answer:?}");
            assert!(status != 200 || answer.body == body, "{lines}: {answer:?}");
        }
    }
}
