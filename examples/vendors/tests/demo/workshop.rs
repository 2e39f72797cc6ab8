//! The lines that docs/vendors.md has for Workshop, pasted into a shell.

use std::process::Command;

use crate::server::Demo;

const DOCUMENT: &str = include_str!("../../../../docs/vendors.md");

/// Lists the lines of the table, each with what it shows.
fn lines() -> Vec<(&'static str, &'static str)> {
    let (_, section) = DOCUMENT.split_once("### Workshop").unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `curl "));
    rows.map(|row| row.trim_end_matches('|').rsplit_once("` | ").unwrap()).collect()
}

/// Runs a line as a reader does, at the demo's own port. Returns the status, the head and the body.
fn pasted(demo: &Demo, line: &str) -> (String, String, String) {
    let line = line.replace("https://localhost:8443", demo.https());
    let key = |label| demo.key("workshop", label);
    let output = Command::new("sh")
        .args(["-c", &format!("curl -q --silent --show-error --max-time 30 --noproxy '*' {line}")])
        .env("CA", demo.certificate())
        .env("APPRENTICE", key("apprentice"))
        .env("JOINER", key("joiner"))
        .env("CARVER", key("carver"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap();
    (status.to_owned(), head.to_lowercase(), body.to_owned())
}

#[test]
fn each_line_shows_what_the_table_says() {
    let demo = Demo::start(&[]);
    let lines = lines();
    assert!(lines.len() >= 10, "{lines:?}");
    for (line, shown) in lines {
        let (status, head, body) = pasted(&demo, line);
        assert!(shown.starts_with(&status), "{line}: {shown}, but {head} {body}");
        for header in ["x-request-id: req_", "x-workshop-version: 2026-11"] {
            assert!(head.contains(header), "{line}: {head}");
        }
        for header in shown.split('`').skip(1).step_by(2) {
            let is_header = header.starts_with("x-") || header.starts_with("cache-");
            let name = header.split(':').next().unwrap();
            assert!(!is_header || head.contains(name), "{line}: {header} is not in {head}");
        }
    }
}

#[test]
fn a_missing_scope_is_a_problem_with_facts() {
    let demo = Demo::start(&[]);
    let line =
        r#"-i --cacert "$CA" -X POST -u "$APPRENTICE:" https://localhost:8443/workshop/pieces"#;
    let (status, head, body) = pasted(&demo, line);
    assert_eq!(status, "403", "{head}");
    let problem: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(problem["detail"], "guild may not POST /workshop/pieces: it needs pieces.write.");
    assert_eq!(problem["scopes"], "pieces.write");
    let id = head.split("x-request-id: ").nth(1).unwrap().lines().next().unwrap();
    assert_eq!(problem["instance"], format!("urn:request:{id}"));
}

/// A failure of the service gives its cost back, so what is left stays the same.
#[test]
fn a_failure_costs_nothing() {
    let demo = Demo::start(&[]);
    let left = |path: &str| {
        let line = format!(r#"-i --cacert "$CA" -u "$APPRENTICE:" https://localhost:8443{path}"#);
        let (_, head, _) = pasted(&demo, &line);
        let left = head.split("x-ratelimit-remaining-requests: ").nth(1).unwrap();
        left.lines().next().unwrap().parse::<u32>().unwrap()
    };
    assert_eq!(left("/workshop/pieces"), 19);
    assert_eq!(left("/workshop/broken"), 19);
    assert_eq!(left("/workshop/broken"), 19);
    assert_eq!(left("/workshop/pieces"), 18);
}

/// A used quota is told in a body of the vendor's own shape.
#[test]
fn a_used_quota_says_when_to_come_back() {
    let demo = Demo::start(&[]);
    let line = r#"-i --cacert "$CA" -X POST -u "$JOINER:" https://localhost:8443/workshop/pieces"#;
    let refused = (0..20).map(|_| pasted(&demo, line)).find(|(status, ..)| status == "429");
    let (_, head, body) = refused.unwrap();
    assert!(head.contains("x-should-retry: false") && head.contains("retry-after: "), "{head}");
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["error"]["message"], "The quota requests is used up.");
    assert_eq!(body["error"]["limit"], 20);
    assert!(body["error"]["retry_in"].as_u64().unwrap() >= 1);
}
