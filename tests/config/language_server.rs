//! A language server, spoken to as an editor does, over its standard input and output.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long a server may take for one answer.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct LanguageServer {
    process: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    settings: Value,
    last_id: u64,
}

impl LanguageServer {
    /// Starts a server. It gets these settings whenever it asks for any.
    pub(super) fn start(
        program: &Path,
        arguments: &[&str],
        folder: &Path,
        settings: Value,
    ) -> Self {
        let mut process = Command::new(program)
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (input, output) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        let (sender, messages) = channel();
        thread::spawn(move || {
            let mut output = BufReader::new(output);
            while let Some(message) = receive(&mut output) {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let mut server = Self { process, input, messages, settings, last_id: 0 };
        let root = uri(folder);
        server.request(
            "initialize",
            &json!({
                "processId": null,
                "rootUri": root,
                "workspaceFolders": [{ "uri": root, "name": "folder" }],
                "capabilities": {
                    "workspace": { "configuration": true, "workspaceFolders": true },
                    "textDocument": {
                        "completion": { "completionItem": { "snippetSupport": false } },
                        "hover": { "contentFormat": ["markdown", "plaintext"] },
                        "publishDiagnostics": {},
                    },
                },
            }),
        );
        server.notify("initialized", &json!({}));
        let settings = server.settings.clone();
        server.notify("workspace/didChangeConfiguration", &json!({ "settings": settings }));
        server
    }

    /// Opens a file, and returns the messages about it once there are as many as wanted: none, or some.
    pub(super) fn open(
        &mut self,
        path: &Path,
        language: &str,
        text: &str,
        some: bool,
    ) -> Vec<String> {
        let document =
            json!({ "uri": uri(path), "languageId": language, "version": 1, "text": text });
        self.notify("textDocument/didOpen", &json!({ "textDocument": document }));
        let mut last = Vec::new();
        let end = Instant::now() + PATIENCE;
        while let Some(message) = self.next(end) {
            let params = &message["params"];
            if message["method"] == "textDocument/publishDiagnostics" && params["uri"] == uri(path)
            {
                let told = params["diagnostics"].as_array().unwrap().iter();
                last = told
                    .map(|told| {
                        let line = told["range"]["start"]["line"].as_u64().unwrap() + 1;
                        format!("{line}: {}", told["message"].as_str().unwrap())
                    })
                    .collect();
                // A server may publish nothing first, and look at the schema later.
                if last.is_empty() != some {
                    break;
                }
            }
        }
        last
    }

    /// Asks about a place of an open file.
    pub(super) fn ask(
        &mut self,
        method: &str,
        path: &Path,
        line: usize,
        character: usize,
    ) -> Value {
        let position = json!({ "line": line, "character": character });
        self.request(method, &json!({ "textDocument": { "uri": uri(path) }, "position": position }))
    }

    fn request(&mut self, method: &str, params: &Value) -> Value {
        self.last_id += 1;
        let id = self.last_id;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        let end = Instant::now() + PATIENCE;
        while let Some(message) = self.next(end) {
            if message["id"] == id && message.get("method").is_none() {
                return message["result"].clone();
            }
        }
        panic!("no answer to {method}");
    }

    fn notify(&mut self, method: &str, params: &Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// Returns the next message, after the answer that it asks for.
    fn next(&mut self, end: Instant) -> Option<Value> {
        let left = end.saturating_duration_since(Instant::now());
        let message = self.messages.recv_timeout(left).ok()?;
        if let (Some(id), Some(method)) = (message.get("id"), message["method"].as_str()) {
            let result = if method == "workspace/configuration" {
                let asked = message["params"]["items"].as_array().unwrap();
                let of = |item: &Value| {
                    let section = item["section"].as_str().unwrap_or_default();
                    self.settings.get(section).cloned().unwrap_or(Value::Null)
                };
                asked.iter().map(of).collect()
            } else {
                Value::Null
            };
            let answer = json!({ "jsonrpc": "2.0", "id": id, "result": result });
            self.send(&answer);
        }
        Some(message)
    }

    fn send(&mut self, message: &Value) {
        let text = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        self.input.flush().unwrap();
    }
}

impl Drop for LanguageServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

fn receive(output: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        output.read_line(&mut line).ok().filter(|read| *read > 0)?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse().ok()?;
            }
            Some(_) => {}
            None => break,
        }
    }
    let mut text = vec![0; length];
    output.read_exact(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}
