//! Refusals: the client gets what the gate has made.

use std::sync::atomic::Ordering;

use forward_auth::Proxy;

use crate::world::World;

/// Compares each refusal with the one that the gate itself makes.
pub(crate) async fn look_as_the_gate_made_them(world: &World) {
    let before = world.upstream.count().await;
    for (start, lines, status) in [
        ("GET /v1/users", "", 401),
        ("HEAD /v1/users", "", 401),
        ("POST /v1/users", "", 401),
        ("GET /v1/users", "X-Api-Key: {unknown}\n", 401),
        ("GET /v1/users", "X-Api-Key: {revoked}\n", 401),
        ("GET /v1/users", "Authorization: Bearer {revoked}\n", 401),
        ("GET /v1/users", "Authorization: Bearer a b\n", 400),
        ("GET /v1/users", "Authorization: Digest a\n", 401),
        ("GET /v1/users", "Authorization: Bearer {active}\nX-Api-Key: {writer}\n", 400),
        ("GET /v1/users", "X-Api-Key: {unscoped}\n", 403),
        ("POST /v1/users", "X-Api-Key: {active}\n", 403),
        ("GET /v1/keys", "X-Api-Key: {active}\n", 403),
        ("DELETE /v1/users", "X-Api-Key: {active}\n", 403),
        (
            "OPTIONS /v1/users",
            "Origin: https://a.example\nAccess-Control-Request-Method: PUT\n",
            401,
        ),
        ("GET /v1/users", "X-Api-Key: {tight}\n", 429),
    ] {
        refused(world, start, lines, true, status).await;
    }
    for lines in ["X-Api-Key: {active}\n", ""] {
        refused(world, "GET /v1/users", lines, false, 400).await;
    }
    world.store.is_down.store(true, Ordering::SeqCst);
    refused(world, "GET /v1/users", "X-Api-Key: {active}\n", true, 503).await;
    world.store.is_down.store(false, Ordering::SeqCst);
    assert_eq!(world.upstream.count().await, before, "no refused request reached the service");
    // A body that nobody wants.
    let long = world.send("POST /v1/users", "", &"a".repeat(300_000)).await;
    assert_eq!(long.status, 401, "{long:?}");
}

async fn refused(world: &World, start: &str, lines: &str, https: bool, status: u16) {
    let answer = if https {
        world.send(start, lines, "").await
    } else {
        world.send_plain(start, lines).await
    };
    let made = world.refusal(start, lines, https).await;
    let log = || world.running.log();
    assert_eq!(
        (answer.status, made.status().as_u16()),
        (status, status),
        "{start} {lines}{}",
        log()
    );
    // What changes from request to request, or is framed anew.
    let varies = ["x-request-id", "content-length", "ratelimit", "retry-after"];
    for name in made.headers().keys() {
        // Envoy does not describe the body that a GET would have had.
        if world.proxy == Proxy::Envoy
            && start.starts_with("HEAD")
            && name.as_str().starts_with("content-")
        {
            continue;
        }
        let wanted: Vec<&str> =
            made.headers().get_all(name).iter().map(|value| value.to_str().unwrap()).collect();
        let got = answer.lines(name.as_str());
        assert_eq!(got.len(), wanted.len(), "{start} {lines}{name}: {answer:?}");
        if !varies.contains(&name.as_str()) {
            assert_eq!(got, wanted, "{start} {lines}{name}");
        }
    }
    if status == 429 {
        let [wait] = *answer.lines("retry-after") else { panic!("{answer:?}") };
        assert!((1..=60).contains(&wait.parse::<u32>().unwrap()), "{answer:?}");
        let [limit] = *answer.lines("ratelimit") else { panic!("{answer:?}") };
        assert!(limit.starts_with("\"requests\";r=0;t="), "{answer:?}");
    }
    assert_eq!(answer.body.as_bytes(), made.body(), "{start} {lines}");
}
