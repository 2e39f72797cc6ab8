//! Sockets of a page in Chromium. Where no browser is installed, the test says so, or fails under `tests/run`,
//! which installs one.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use axum::Router;
use axum::response::Html;
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tower_api_key::ApiKeyLayer;
use tower_api_key::concurrency::Concurrency;
use tower_api_key::rules::{Route, Routes};

use super::server::{router, serving};
#[cfg(feature = "http2")]
use super::tls::serving_tls;
use super::upgrade::builder;
use crate::support::KEY;

/// Opens sockets one after the other, and reports what became of each.
const PAGE: &str = r#"<!doctype html><title>sockets</title><script>
const server = location.origin.replace("http", "ws");
const open = (path, protocols) => new Promise(resolve => {
    const told = { opened: false, heard: [] };
    const socket = new WebSocket(server + path, protocols);
    told.close = () => new Promise(closed => { socket.onclose = closed; socket.close(); });
    socket.onopen = () => { told.opened = true; told.protocol = socket.protocol; socket.send("ping"); };
    socket.onmessage = event => { if (told.heard.push(event.data) === 2) resolve(told); };
    socket.onclose = event => { told.code = event.code; resolve(told); };
});
const attempt = async (path, protocols) => {
    const told = await open(path, protocols);
    if (told.opened) await told.close();
    return told;
};
const refuses = protocols => {
    try { new WebSocket(server + "/chat", protocols); return "none"; } catch (error) { return error.name; }
};
(async () => {
    const [good, bad] = ["api-key.GOOD", "api-key.BAD"];
    const answers = {
        good: await attempt("/chat", ["chat.v1", good]),
        "key first": await attempt("/chat", [good, "chat.v1"]),
        bad: await attempt("/chat", ["chat.v1", bad]),
        "no key": await attempt("/chat", ["chat.v1"]),
        nothing: await attempt("/chat", []),
        "only the key": await attempt("/chat", good),
        "no protocol selected": await attempt("/silent", ["chat.v1", good]),
        "unknown route": await attempt("/other", ["chat.v1", good]),
        "a key that is no token": refuses(["chat.v1", "api-key.a/b"]),
        "a key twice": refuses(["chat.v1", good, good]),
    };
    const first = await open("/chat", ["chat.v1", good]);
    answers["second of one"] = await attempt("/chat", ["chat.v1", good]);
    await first.close();
    for (let tries = 0; tries < 50; tries++) {
        answers["next of one"] = await attempt("/chat", ["chat.v1", good]);
        if (answers["next of one"].opened) break;
    }
    await fetch("/done", { method: "POST", body: JSON.stringify(answers) });
})();
</script>"#;

/// A browser with a profile of its own. Both go with it.
struct Browser {
    process: Child,
    folder: PathBuf,
}

impl Browser {
    /// Opens a page; none if no browser is installed, which fails the test if `REQUIRE_BROWSER` is set.
    fn open(address: &str) -> Option<Self> {
        let is_there = |name: &&str| {
            Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success())
        };
        let Some(name) =
            ["chromium", "chromium-browser", "google-chrome"].into_iter().find(is_there)
        else {
            assert!(env::var_os("REQUIRE_BROWSER").is_none(), "there is no browser");
            println!("SKIPPED: there is no browser");
            return None;
        };
        let port = address.rsplit(':').next().unwrap().replace('/', "-");
        let folder = env::temp_dir().join(format!("tower-api-key-browser-{port}"));
        fs::create_dir_all(&folder).unwrap();
        let process = Command::new(name)
            // Root may not use the sandbox. The rest keeps the browser from calling anyone but the server.
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
            .args(["--no-first-run", "--disable-background-networking", "--disable-sync"])
            .args(["--disable-component-update", "--disable-quic", "--no-proxy-server"])
            .args(["--ignore-certificate-errors", "--disable-extensions"])
            .arg(format!("--user-data-dir={}", folder.display()))
            .arg(address)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Some(Self { process, folder })
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Returns an app with the page, with sockets behind a gate, and with a place for the page's report.
fn app(gate: &ApiKeyLayer) -> (Router, UnboundedReceiver<String>) {
    let (sender, reports) = unbounded_channel();
    let page = PAGE.replace("GOOD", KEY).replace("BAD", "key_0123456789abcdee");
    let app = router()
        .layer(gate.clone())
        .route("/page", get(async || Html(page)))
        .route("/done", post(async move |report: String| sender.send(report).unwrap()));
    (app, reports)
}

fn routes() -> Routes {
    let one = Route::new().all_of(&["chat"]).concurrency(Concurrency::new(1));
    Routes::new().get("/chat", one).get("/silent", Route::new())
}

/// Opens the page, and compares its report.
async fn compare(
    address: &str,
    reports: &mut UnboundedReceiver<String>,
    version: &str,
    selects: bool,
) {
    let Some(_browser) = Browser::open(address) else { return };
    let report = tokio::time::timeout(Duration::from_secs(60), reports.recv());
    let report: Value = serde_json::from_str(&report.await.unwrap().unwrap()).unwrap();
    let hello = format!("hello acme over {version}, you offer [chat.v1]");
    let opened = json!({ "opened": true, "protocol": "chat.v1", "heard": [hello, "ping"] });
    // What a page may know of a socket that did not open.
    let failed = json!({ "opened": false, "heard": [], "code": 1006 });
    for (name, expected) in [
        ("good", &opened),
        ("key first", &opened),
        ("bad", &failed),
        ("no key", &failed),
        ("nothing", &failed),
        ("only the key", &failed),
        ("no protocol selected", if selects { &opened } else { &failed }),
        ("unknown route", &failed),
        ("a key that is no token", &json!("SyntaxError")),
        ("a key twice", &json!("SyntaxError")),
        ("second of one", &failed),
        ("next of one", &opened),
    ] {
        assert_eq!(&report[name], expected, "{name}: {report:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_opens_sockets_over_http_1() {
    let (app, mut reports) = app(&builder().routes(routes()).build().unwrap());
    let server = serving(app).await;
    compare(&format!("http://{server}/page"), &mut reports, "HTTP/1.1", false).await;
}

/// The browser asks for its sockets on the connection that brought the page.
#[cfg(feature = "http2")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_opens_sockets_over_http_2() {
    let gate = builder().routes(routes()).select_websocket_protocol("chat.v1").build().unwrap();
    let (app, mut reports) = app(&gate);
    let server = serving_tls(app).await;
    compare(&format!("https://localhost:{}/page", server.port()), &mut reports, "HTTP/2.0", true)
        .await;
}
