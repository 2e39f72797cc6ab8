//! Paths that two readers can read differently: the gate judges the path that the service gets.

use crate::upstream::Received;
use crate::world::World;

/// The key may read `/v1/users` and `/v1/users/{id}`, and no other path.
pub(crate) async fn are_judged_as_the_service_reads_them(world: &World) {
    for target in [
        "/v1/users",
        "/v1/users?",
        "/v1/users?a=/../b;c=%2F//",
        "/v1/users/a%20b",
        "/v1/users/caf%C3%A9",
        "/v1/users/a+b=c,d:e@f",
    ] {
        let answer = world.send(&format!("GET {target}"), "X-Api-Key: {active}\n", "").await;
        assert_eq!(answer.status, 200, "{target}: {answer:?}");
        let start = Received::of(&answer).start;
        let read = start.replace("a=/../b&c", "a=/../b;c"); // Traefik reads `;` as `&`
        assert_eq!(read.trim_end_matches('?'), format!("GET {target}").trim_end_matches('?'));
    }
    let mut told = String::new();
    for target in [
        "/",
        "*",
        "/v1/keys",
        "/V1/users",
        "/v1/users/",
        "/v1/users/1/keys",
        "//v1/users",
        "/v1//users",
        "/v1/./users",
        "/v1/keys/../users",
        "/v1/users/../keys",
        "/v1/users/..",
        "/v1/users/.",
        "/v1/users/../../etc/passwd",
        "/v1/users/%2e%2e/keys",
        "/v1/users/..%2fkeys",
        "/v1/users%2F1",
        "/v1/users/1%2Fkeys",
        "/v1/users/%5c..%5ckeys",
        "/v1/users\\1",
        "/v1/%75sers",
        "/v1/users%00",
        "/v1/users/%0d%0ax",
        "/v1/users;a=b",
        "/v1/users/..;/keys",
        "/v1/users%3Fa",
        "/v1/users%23a",
        "/v1/users#/../keys",
        "/v1/keys#/v1/users",
        "/v1/keys?/v1/users",
        "/v1/users/%c0%ae%c0%ae/keys",
        "/v1/users/%zz",
        "/v1/users/%252e%252e",
        "/v1/users/caf\u{e9}",
        "/v1/users/a\"b<c>",
        "?/v1/users",
        "v1/users",
        "http://localhost/v1/users",
        "http://localhost/v1/keys",
        "http://localhost//v1/users",
        "http://other.example/v1/keys",
        "http://localhost?/v1/users",
    ] {
        let before = world.upstream.count().await;
        let answer = world.send(&format!("GET {target}"), "X-Api-Key: {active}\n", "").await;
        let reached = world.upstream.count().await - before;
        told.push_str(&format!("{target}\t{}\t", answer.status));
        if reached == 0 {
            assert_ne!(answer.status, 200, "{target}: {answer:?}");
        } else {
            let received = Received::of(&answer).start;
            told.push_str(&received);
            assert!(is_allowed(&received), "{target} reached the service as {received}");
        }
        told.push('\n');
    }
    println!("{told}");
}

/// Returns true for a request that the key allows, whoever reads its path.
fn is_allowed(start: &str) -> bool {
    let path = start.strip_prefix("GET ").unwrap();
    let path = path.split('?').next().unwrap();
    let id = match path.strip_prefix("/v1/users") {
        Some("") => return true,
        Some(rest) => rest.strip_prefix('/').unwrap_or_default(),
        None => return false,
    };
    let encoded = id.to_ascii_lowercase();
    !id.is_empty()
        && !matches!(id, "." | "..")
        && !id.contains(['/', '\\', ';', '#'])
        && !["%2e", "%2f", "%5c", "%25", "%00", "%3b", "%3f", "%23", "%c0", "%0"]
            .iter()
            .any(|code| encoded.contains(code))
}
