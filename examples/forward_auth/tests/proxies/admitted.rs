//! Requests that pass: what the service gets, what the client gets, and what they cost.

use forward_auth::Proxy;

use crate::upstream::Received;
use crate::world::World;

/// Admitted requests reach the service whole, without the key, and with the identity of their caller.
pub(crate) async fn pass(world: &World) {
    let long = "a".repeat(300_000);
    for (start, lines, body, label) in [
        ("GET /v1/users?page=2&x=%2F..%2F", "Authorization: Bearer {active}\n", "", "active"),
        ("GET /v1/users", "X-Api-Key: {active}\n", "", "active"),
        ("GET /v1/users/7", "Authorization: bearer {active}\n", "", "active"),
        ("POST /v1/users", "X-Api-Key: {writer}\n", "hello", "writer"),
        ("POST /v1/users", "X-Api-Key: {writer}\n", &*long, "writer"),
        ("GET /v1/users", "X-Api-Key: {local}\n", "", "local"),
    ] {
        let answer = world.send(start, lines, body).await;
        assert_eq!(answer.status, 200, "{start} {lines}: {answer:?}\n{}", world.running.log());
        let received = Received::of(&answer);
        assert_eq!((&*received.start, &*received.body), (start, body), "{lines}");
        let metadata = (label == "active").then_some("cost%20center=7%268&team=core");
        for (name, value) in [
            ("x-account-id", Some(&*format!("account_of_{label}"))),
            ("x-key-id", Some(&*format!("key_of_{label}"))),
            ("x-key-environment", Some("test")),
            ("x-key-metadata", metadata),
            ("authorization", None),
            ("x-api-key", None),
        ] {
            assert_eq!(received.field(name), value, "{start} {lines}: {received:?}");
        }
        let id = received.field("x-request-id").expect("an id of the request");
        assert!(!answer.body.contains(world.key(label)), "{answer:?}");
        if world.proxy == Proxy::Traefik {
            // It passes on nothing of the checker's answer to the client.
            assert!(answer.lines("ratelimit").is_empty(), "{answer:?}");
            continue;
        }
        let [limit] = *answer.lines("ratelimit") else { panic!("{answer:?}") };
        assert!(limit.starts_with("\"requests\";r="), "{answer:?}");
        assert_eq!(answer.lines("ratelimit-policy"), ["\"requests\";q=60;w=60"]);
        assert_eq!(answer.lines("x-request-id"), [id]);
    }
    let head = world.send("HEAD /v1/users", "X-Api-Key: {active}\n", "").await;
    assert_eq!((head.status, &*head.body), (200, ""), "{head:?}");
}

/// A request costs once, whatever its method, and a refused one nothing.
pub(crate) async fn cost_once(world: &World) {
    let before = world.upstream.count().await;
    for (start, status) in [
        ("GET /v1/users", 200),
        ("HEAD /v1/users", 200),
        ("GET /v1/unknown", 403),
        ("POST /v1/users", 403),
        ("GET /v1/users/1", 200),
        ("GET /v1/users", 429),
        ("HEAD /v1/users", 429),
        ("GET /v1/users", 429),
    ] {
        let answer = world.send(start, "X-Api-Key: {tight}\n", "").await;
        assert_eq!(answer.status, status, "{start}: {answer:?}{}", world.running.log());
    }
    assert_eq!(world.upstream.count().await - before, 3);
}
