//! The console of the demo: a person signs in, and creates a key that Persona's gate admits.

use std::process::Command;

use crate::curl::{self, bearer};
use crate::server::Demo;

/// Runs curl with a jar of cookies, as a browser keeps them. Returns the status and the body.
fn browse(demo: &Demo, jar: &str, path: &str, fields: &[&str]) -> (String, String) {
    let mut command = Command::new("curl");
    command.args(["-q", "--silent", "--show-error", "--max-time", "30", "--noproxy", "*"]);
    command.args(["--cacert", demo.certificate(), "--cookie", jar, "--cookie-jar", jar]);
    command.args(["--write-out", "\n%{http_code}", "-H", "Sec-Fetch-Site: same-origin"]);
    for field in fields {
        command.args(["--data-urlencode", field]);
    }
    let output = command.arg(format!("{}{path}", demo.https())).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (body, status) = text.rsplit_once('\n').unwrap();
    (status.to_owned(), body.to_owned())
}

/// Returns the text between two others.
fn between<'a>(page: &'a str, before: &str, after: &str) -> &'a str {
    page.split_once(before).unwrap().1.split_once(after).unwrap().0
}

#[test]
fn a_key_that_the_console_creates_is_one_of_persona() {
    let demo = Demo::start(&[]);
    let jar = std::env::temp_dir().join(format!("console-{}.jar", demo.child.id()));
    let jar = jar.to_str().unwrap();
    assert_eq!(browse(&demo, jar, "/console", &[]).0, "303");
    let key = format!("key={}", demo.key("manage", "admin"));
    assert_eq!(browse(&demo, jar, "/console/sign-in", &[key.as_str()]).0, "303");
    let (_, page) = browse(&demo, jar, "/console/new-key", &[]);
    assert_eq!(page.matches(r#"type="checkbox" name="scopes""#).count(), 27);
    let token = format!("form_token={}", between(&page, r#"name="form_token" value=""#, "\""));
    let once = format!("once={}", between(&page, r#"name="once" value=""#, "\""));
    let rest =
        ["account=org_acme", "environment=production", "scopes_from=key", "scopes=inquiry.read"];
    let fields: Vec<&str> = [&*token, &*once].into_iter().chain(rest).collect();
    let (status, page) = browse(&demo, jar, "/console/new-key", &fields);
    let _ = std::fs::remove_file(jar);
    assert_eq!(status, "200", "{page}");
    let secret = between(&page, r#"id="secret">"#, "<");
    let output = Command::new("curl")
        .args([
            "-q",
            "--silent",
            "--max-time",
            "30",
            "--noproxy",
            "*",
            "--cacert",
            demo.certificate(),
        ])
        .args(["-H", &format!("Authorization: Bearer {secret}"), "--write-out", "\n%{http_code}"])
        .arg(format!("{}/api/v1/inquiries", demo.https()))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.ends_with("\n200"), "{text}");
}

#[cfg(unix)]
#[test]
fn the_console_shows_requests_that_a_demo_has_written_at_its_end() {
    let folder = crate::folder::Folder::new();
    let url = format!("sqlite:{}", folder.path().join("keys.db").display());
    let mut demo = Demo::start(&["--store", &url]);
    let call = |label, path: &str| {
        let header = bearer(&demo, "persona", label);
        curl::curl(&demo, &["-H", &header, &format!("{}{path}", demo.https())]).status
    };
    assert_eq!(call("inquiry_reader", "/api/v1/inquiries"), 200);
    assert_eq!(call("inquiry_reader", "/api/v1/inquiries"), 200);
    assert_eq!(call("inquiry_reader", "/api/v1/accounts"), 403);
    demo.signal("TERM");
    assert!(demo.child.wait().unwrap().success());

    let demo = Demo::start(&["--store", &url]);
    let jar = folder.path().join("jar");
    let jar = jar.to_str().unwrap();
    let key = format!("key={}", demo.key("manage", "admin"));
    assert_eq!(browse(&demo, jar, "/console/sign-in", &[key.as_str()]).0, "303");
    let (_, page) = browse(&demo, jar, "/console/key?id=key_persona_inquiry_reader", &[]);
    for shown in [
        "3 requests from ",
        "/api/v1/inquiries</td><td>admitted</td><td>2</td>",
        "/api/v1/accounts</td><td>refused</td><td>1</td>",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
}
