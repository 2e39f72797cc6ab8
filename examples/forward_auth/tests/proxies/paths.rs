//! Paths that two readers can read differently: the gate judges the path that the service gets.

use forward_auth::Proxy;

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
        let mut sent = target.to_owned();
        if world.proxy == Proxy::Traefik {
            sent = sent.replace(';', "&");
        }
        // Go leaves an empty query out.
        let start = Received::of(&answer).start;
        assert_eq!(start.trim_end_matches('?'), format!("GET {sent}").trim_end_matches('?'));
    }
    cleaned(world).await;
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
        if reached == 0 {
            assert_ne!(answer.status, 200, "{target}: {answer:?}");
        } else {
            let received = Received::of(&answer).start;
            assert!(is_allowed(&received), "{target} reached the service as {received}");
        }
    }
}

/// What each proxy makes of a path, for the gate and for the service alike.
async fn cleaned(world: &World) {
    use Proxy::{Caddy, Envoy, Nginx, Traefik};
    let encoded = Some("/v1/users/caf%C3%A9");
    for (target, proxies, received) in [
        ("/v1/keys/../users", &[Traefik][..], Some("/v1/users")),
        ("/v1/keys/../users", &[Nginx, Caddy, Envoy], None),
        ("//v1//users", &[Traefik], Some("/v1/users")),
        ("//v1//users", &[Nginx, Caddy, Envoy], None),
        ("/v1/%75sers", &[Traefik], Some("/v1/users")),
        ("/v1/%75sers", &[Nginx, Caddy, Envoy], None),
        ("/v1/users/caf\u{e9}", &[Traefik, Caddy], encoded),
        ("/v1/users/caf\u{e9}", &[Envoy], None),
        ("http://other.example/v1/users", &[Nginx, Traefik, Caddy, Envoy], Some("/v1/users")),
    ] {
        if !proxies.contains(&world.proxy) {
            continue;
        }
        let answer = world.send(&format!("GET {target}"), "X-Api-Key: {active}\n", "").await;
        let start = (answer.status == 200).then(|| Received::of(&answer).start);
        let received = received.map(|received| format!("GET {received}"));
        assert_eq!(start, received, "{target}: {answer:?}");
    }
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
