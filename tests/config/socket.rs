//! A gate of a file, from the disk to a socket.

use std::sync::Arc;

use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tower::Layer;
use tower_api_key::config::{Backends, FrontDoor};
use tower_api_key::key::{Account, KeyHasher, KeyRecord, Pepper};
use tower_api_key::request::Connection;
use tower_api_key::store::MemoryStore;
use tower_api_key::{Grant, MarkConnection};

const FILE: &str = r#"
pepper = { base64 = { file = "pepper" } }
environment = "live"
strip_credential = true

[profile]
name = "acme"
realm = "acme"
credentials = [{ scheme = { header = "x-acme-key" } }]
formats = [{ segments = [{ literal = "acme_" }, { environment = ["live", "test"] }, { literal = "_" }, { characters = { alphabet = "lower_hex", count = 32 } }] }]

[profile.answers]
key_unknown = { status = 401, challenge = "bare", body = { json = { shape = { why = "{why}" }, values = { why = "no such key" } } } }
otherwise = { status = 403, body = { error = "not here" } }

[trusted_proxies]
networks = ["127.0.0.0/8"]
headers = "forwarded"

[[routes]]
methods = ["GET"]
path = "/orgs/{org}"
account_parameter = "org"
all_of = ["orgs.read"]

[scopes]
wildcards = true
"#;

const KEY: &str = "acme_live_00112233445566778899aabbccddeeff";

#[tokio::test]
async fn a_file_guards_a_server() {
    let folder = std::env::temp_dir().join(format!("front-door-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    // As `base64` and an editor write it, with the end of a line.
    std::fs::write(folder.join("pepper"), "c2l4dGVlbiByYW5kb20gYg==\n").unwrap();
    std::fs::write(folder.join("gate.toml"), FILE).unwrap();
    let door = FrontDoor::read(folder.join("gate.toml")).unwrap();

    let hasher = KeyHasher::with_pepper(&Pepper::new(*b"sixteen random b").unwrap());
    let acme = Arc::new(Account::builder("acme").build().unwrap());
    let record = KeyRecord::builder("key_1", acme).scopes(["orgs.*"]).environment("live");
    let store = MemoryStore::new();
    store.add_now(hasher.digest(KEY.as_bytes()), record.build().unwrap());
    let layer = door.builder(&Backends::new(store)).build().unwrap();

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = axum::Router::new().fallback(|request: axum::extract::Request| async move {
        let account = request.extensions().get::<Grant>().unwrap().account().to_string();
        format!("{account}, {}", request.headers().contains_key("x-acme-key"))
    });
    let app = app.layer(layer);
    tokio::spawn(async move {
        loop {
            let (stream, peer) = listener.accept().await.unwrap();
            let service = MarkConnection::new(Connection::plain(peer)).layer(app.clone());
            tokio::spawn(async move {
                let service = TowerToHyperService::new(service);
                let builder = Builder::new(TokioExecutor::new());
                let _ = builder.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });

    let test = KEY.replace("live", "test");
    let https = "for=198.51.100.7;proto=https";
    for (path, key, forwarded, status, body) in [
        ("/orgs/acme", KEY, https, 200, "acme, false"),
        ("/orgs/acme", KEY, "for=198.51.100.7;proto=http", 403, r#"{"error":"not here"}"#),
        ("/orgs/other", KEY, https, 403, r#"{"error":"not here"}"#),
        ("/teams/acme", KEY, https, 403, r#"{"error":"not here"}"#),
        ("/orgs/acme", &test, https, 403, r#"{"error":"not here"}"#),
        ("/orgs/acme", &KEY.replace('f', "e"), https, 401, r#"{"why":"no such key"}"#),
    ] {
        let stream = TcpStream::connect(address).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = http::Request::get(path)
            .header("host", "acme.example")
            .header("x-acme-key", key)
            .header("forwarded", forwarded)
            .body(Empty::<bytes::Bytes>::new())
            .unwrap();
        let response = sender.send_request(request).await.unwrap();
        let got = response.status().as_u16();
        let content = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!((got, &*content), (status, body.as_bytes()), "{path} {key} {forwarded}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
