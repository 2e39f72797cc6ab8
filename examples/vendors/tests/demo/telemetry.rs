//! What an operator of the demo sees: refusals on standard error, and metrics.

use std::fs::{self, File};
use std::process::Stdio;

use crate::curl::{bearer, curl};
use crate::folder::Folder;
use crate::server::Demo;

/// Sends requests that the gate of REST API Integrations admits and refuses. Returns the keys.
fn call(demo: &Demo) -> [String; 2] {
    for (label, method, status) in [
        ("active", "GET", 200),
        ("read_only", "GET", 200),
        ("unlisted", "GET", 401),
        ("read_only", "POST", 403),
    ] {
        let (key, url) =
            (bearer(demo, "rest_integrations", label), format!("{}/v1/users", demo.https()));
        let answer = curl(demo, &["-X", method, "-H", &key, &url]);
        assert_eq!(answer.status, status, "{label} {method}");
    }
    ["active", "unlisted"].map(|label| demo.key("rest_integrations", label).to_owned())
}

/// Returns the lines of `/metrics`, at the address that the demo prints.
fn metrics(demo: &Demo, printed: &str) -> Vec<String> {
    let line = printed.lines().find_map(|line| line.strip_prefix("Metrics on "));
    let url = line.unwrap_or_else(|| panic!("{printed}")).split(',').next().unwrap();
    let answer = curl(demo, &[url]);
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8"),
        "Prometheus reads the version"
    );
    answer.body.lines().map(str::to_owned).collect()
}

/// Starts a demo whose output goes to files. Returns it with what it has printed and where its errors go.
fn start(folder: &Folder, options: &[&str]) -> (Demo, String, std::path::PathBuf) {
    let [out, err] = ["out", "err"].map(|name| folder.path().join(name));
    let [to_out, to_err] = [&out, &err].map(|path| Stdio::from(File::create(path).unwrap()));
    let demo = Demo::start_printing(options, to_out, to_err);
    // It serves, so it has printed all.
    curl(&demo, &[&format!("{}/healthz", demo.https())]);
    let printed = fs::read_to_string(out).unwrap();
    (demo, printed, err)
}

#[test]
fn the_demo_logs_refused_requests_and_serves_its_metrics() {
    let folder = Folder::new();
    let database = format!("sqlite:{}", folder.path().join("keys.db").display());
    let (demo, printed, err) = start(&folder, &["--store", &database]);
    let keys = call(&demo);
    let lines = metrics(&demo, &printed);
    let vendor = r#"vendor="REST API Integrations""#;
    for line in [
        format!(
            r#"tower_api_key_requests_total{{{vendor},http_route="/v1/{{*rest}}",decision="admitted"}} 2"#
        ),
        format!(r#"tower_api_key_denials_total{{{vendor},reason="key_unknown"}} 1"#),
        format!(r#"tower_api_key_denials_total{{{vendor},reason="scope_missing"}} 1"#),
        r#"tower_api_key_cache_lookups_total{answer="miss"}"#.to_owned(),
        format!(r#"tower_api_key_wait_duration_seconds_bucket{{{vendor},target="store","#),
    ] {
        assert!(lines.iter().any(|it| it.starts_with(&line)), "{line}\n{}", lines.join("\n"));
    }
    let logged = fs::read_to_string(err).unwrap();
    let refused: Vec<_> = logged.lines().filter(|line| line.contains("request refused")).collect();
    let [unknown, missing] = refused[..] else { panic!("{logged}") };
    for (line, denial) in [(unknown, "key_unknown"), (missing, "scope_missing")] {
        assert!(line.contains(" INFO tower_api_key::request: "), "{line}");
        assert!(line.contains(&format!(r#"denial="{denial}""#)), "{line}");
    }
    assert!(!logged.contains("admitted"), "admitted requests are for debug: {logged}");
    for key in keys {
        assert!(!logged.contains(&key) && !lines.iter().any(|line| line.contains(&key)));
    }
}

#[test]
fn the_gallery_logs_and_counts_as_the_demo_does() {
    let folder = Folder::new();
    let (demo, printed, err) = start(&folder, &["--gallery", "--log", "debug"]);
    for (label, status) in [("active", 200), ("unlisted", 401)] {
        let url = format!("{}/openai/v1/models", demo.https());
        let answer = curl(&demo, &["-H", &bearer(&demo, "openai", label), &url]);
        assert_eq!(answer.status, status, "{label}");
    }
    let lines = metrics(&demo, &printed).join("\n");
    for decision in ["admitted", "refused"] {
        assert!(lines.contains(&format!(r#"decision="{decision}""#)), "{lines}");
    }
    let logged = fs::read_to_string(err).unwrap();
    for decision in ["admitted", "refused"] {
        assert!(logged.contains(&format!(r#"decision="{decision}""#)), "{logged}");
    }
}

#[test]
fn nothing_is_logged_if_that_is_chosen() {
    let folder = Folder::new();
    let (demo, _, err) = start(&folder, &["--log", "off"]);
    call(&demo);
    assert_eq!(fs::read_to_string(err).unwrap(), "");
}

/// A proxy of this machine, and a page whose name leads here, ask for somebody else.
#[test]
fn metrics_are_shown_to_nobody_elsewhere() {
    let folder = Folder::new();
    let (demo, printed, _) = start(&folder, &[]);
    let url = printed.lines().find_map(|line| line.strip_prefix("Metrics on ")).unwrap();
    let url = url.split(',').next().unwrap();
    let https = format!("{}/metrics", demo.https());
    for (url, field, status) in [
        (url, "Accept: */*", 200),
        (&https, "Accept: */*", 200),
        (url, "Host: evil.example", 404),
        (&https, "Host: evil.example", 404),
        (url, "Host: 192.0.2.1:8080", 404),
        (url, "X-Forwarded-For: 127.0.0.1", 404),
        (url, "Forwarded: for=127.0.0.1", 404),
        (url, "Via: 1.1 proxy", 404),
    ] {
        assert_eq!(curl(&demo, &["-H", field, url]).status, status, "{url} {field}");
    }
}
