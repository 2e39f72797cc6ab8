//! The console of the demo: a person signs in, and creates a key that Persona's gate admits.

use std::process::Command;

use crate::server::Demo;

/// Runs curl with a jar of cookies, as a browser keeps them. Returns the status and the body.
fn curl(demo: &Demo, jar: &str, path: &str, fields: &[&str]) -> (String, String) {
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
    assert_eq!(curl(&demo, jar, "/console", &[]).0, "303");
    let key = format!("key={}", demo.key("manage", "admin"));
    assert_eq!(curl(&demo, jar, "/console/sign-in", &[key.as_str()]).0, "303");
    let (_, page) = curl(&demo, jar, "/console/new-key", &[]);
    assert_eq!(page.matches(r#"type="checkbox" name="scopes""#).count(), 27);
    let token = format!("form_token={}", between(&page, r#"name="form_token" value=""#, "\""));
    let once = format!("once={}", between(&page, r#"name="once" value=""#, "\""));
    let rest =
        ["account=org_acme", "environment=production", "scopes_from=key", "scopes=inquiry.read"];
    let fields: Vec<&str> = [&*token, &*once].into_iter().chain(rest).collect();
    let (status, page) = curl(&demo, jar, "/console/new-key", &fields);
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
