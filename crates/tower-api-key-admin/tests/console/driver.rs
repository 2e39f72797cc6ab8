//! Chromium, driven over the WebDriver protocol by its own driver.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

/// Is held by the browser that is open.
static TURN: Mutex<()> = Mutex::new(());

/// The name of an element in answers of the protocol.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with a window and a profile of its own. All of it goes with the value.
pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
    folder: PathBuf,
    _turn: MutexGuard<'static, ()>,
}

impl Browser {
    /// Opens a browser; `None` if no driver is installed, which fails the test if `REQUIRE_CHROMEDRIVER` is set.
    pub(crate) fn open(width: u32, height: u32) -> Option<Self> {
        if Command::new("chromedriver").arg("--version").output().is_err() {
            assert!(env::var_os("REQUIRE_CHROMEDRIVER").is_none(), "there is no chromedriver");
            println!("SKIPPED: there is no chromedriver");
            return None;
        }
        // One browser at a time is enough for two processors.
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        // A port may be taken between its choice and its use.
        let started = (0..5).find_map(|_| start());
        let (driver, port) = started.expect("the driver names its port");
        let folder =
            env::temp_dir().join(format!("tower-api-key-console-{}-{port}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        let mut browser = Self { driver, port, session: String::new(), folder, _turn: turn };
        let profile = format!("--user-data-dir={}", browser.folder.display());
        let arguments = [
            // Root may not use the sandbox. The rest keeps the browser from calling anyone but the server.
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-sync",
            "--disable-component-update",
            "--no-proxy-server",
            "--disable-extensions",
            "--hide-scrollbars",
            "--force-color-profile=srgb",
            &profile,
        ];
        // Narrower than a window may be.
        let screen = json!({ "width": width, "height": height, "pixelRatio": 1, "touch": false, "mobile": false });
        let options = json!({ "args": arguments, "mobileEmulation": { "deviceMetrics": screen } });
        // An element that is asked for may be on a page that still comes.
        let timeouts = json!({ "implicit": 10_000 });
        let wanted = json!({
            "acceptInsecureCerts": true, "goog:chromeOptions": options, "timeouts": timeouts
        });
        let opened =
            browser.ask("POST", "/session", &json!({ "capabilities": { "alwaysMatch": wanted } }));
        opened["sessionId"].as_str().expect("a session").clone_into(&mut browser.session);
        Some(browser)
    }

    pub(crate) fn go(&self, url: &str) {
        self.post("/url", &json!({ "url": url }));
    }

    pub(crate) fn url(&self) -> String {
        self.get("/url").as_str().unwrap().to_owned()
    }

    pub(crate) fn click(&self, selector: &str) {
        let element = self.element(selector);
        self.post(&format!("/element/{element}/click"), &json!({}));
    }

    /// Replaces the text of a field.
    pub(crate) fn fill(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.post(&format!("/element/{element}/clear"), &json!({}));
        self.post(&format!("/element/{element}/value"), &json!({ "text": text }));
    }

    /// Presses keys, one after the other, wherever the focus is.
    pub(crate) fn press(&self, keys: &str) {
        let events: Vec<Value> = keys
            .chars()
            .flat_map(|key| {
                ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key.to_string() }))
            })
            .collect();
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": events });
        self.post("/actions", &json!({ "actions": [keyboard] }));
    }

    pub(crate) fn text(&self, selector: &str) -> String {
        let element = self.element(selector);
        self.get(&format!("/element/{element}/text")).as_str().unwrap().to_owned()
    }

    /// Waits until a text is on the page.
    pub(crate) fn expect(&self, selector: &str, text: &str) {
        let start = Instant::now();
        loop {
            let found = self.script(&format!(
                "return [...document.querySelectorAll({selector:?})].map(element => element.innerText).join('\\n')"
            ));
            let found = found.as_str().unwrap_or_default();
            if found.contains(text) {
                return;
            }
            let page = self.script("return document.body.innerText");
            assert!(start.elapsed() < Duration::from_secs(20), "no {text:?} in {selector}: {page}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Runs a script, and returns what it returns or promises.
    pub(crate) fn script(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Calls Chromium's own protocol.
    pub(crate) fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    /// Returns the picture of the window, as PNG.
    pub(crate) fn picture(&self) -> Vec<u8> {
        BASE64_STANDARD.decode(self.get("/screenshot").as_str().unwrap()).unwrap()
    }

    fn element(&self, selector: &str) -> String {
        let found = self.post("/element", &json!({ "using": "css selector", "value": selector }));
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    fn get(&self, path: &str) -> Value {
        self.ask("GET", &format!("/session/{}{path}", self.session), &Value::Null)
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.ask("POST", &format!("/session/{}{path}", self.session), body)
    }

    /// Asks the driver, and returns the value of its answer.
    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.try_ask(method, path, body);
        let answer = answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let value = answer["value"].clone();
        assert!(value.get("error").is_none(), "{method} {path} {body:.300}: {value:#}");
        value
    }

    fn try_ask(&self, method: &str, path: &str, body: &Value) -> std::io::Result<Value> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(120)))?;
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n\
            Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        )?;
        // The driver keeps the connection open, so the body ends by its length.
        let mut reader = BufReader::new(stream);
        let (mut line, mut length) = (String::new(), 0);
        while reader.read_line(&mut line)? > 2 {
            let (name, value) = line.split_once(':').unwrap_or_default();
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap();
            }
            line.clear();
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        Ok(serde_json::from_slice(&body)?)
    }
}

/// Starts a driver, and returns it with its port. `None` if it ends without a port.
fn start() -> Option<(Child, u16)> {
    let mut driver = Command::new("chromedriver")
        .arg("--port=0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok);
    let port = lines.find_map(|line| {
        let (_, port) = line.split_once("successfully on port ")?;
        port.trim_end_matches('.').parse().ok()
    });
    let Some(port) = port else {
        let _ = driver.kill();
        let _ = driver.wait();
        return None;
    };
    // A full pipe would stop the driver.
    thread::spawn(move || lines.for_each(drop));
    Some((driver, port))
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends its browser.
        let _ = self.try_ask("DELETE", &format!("/session/{}", self.session), &Value::Null);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
