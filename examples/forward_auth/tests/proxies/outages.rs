//! A checker that is gone or silent: nothing passes.

use std::time::Duration;

use forward_auth::Proxy;
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::world::World;

pub(crate) async fn give_no_access(world: &mut World) {
    let before = world.upstream.count().await;
    world.end_checker().await;
    for lines in ["X-Api-Key: {active}\n", ""] {
        let answer = world.send("GET /v1/users", lines, "").await;
        let expected = match world.proxy {
            Proxy::Nginx | Proxy::Traefik => 500,
            Proxy::Caddy => 502,
            Proxy::Envoy => 503,
        };
        assert_eq!(answer.status, expected, "{answer:?}");
    }
    let silent = TcpListener::bind(world.checker).await.unwrap();
    let accepting = tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((stream, _)) = silent.accept().await {
            open.push(stream);
        }
    });
    let answer = world.send("GET /v1/users", "X-Api-Key: {active}\n", "");
    match (timeout(Duration::from_secs(2), answer).await, world.proxy) {
        (Ok(answer), _) => assert!((500..=504).contains(&answer.status), "{answer:?}"),
        // It waits for 30 seconds, and no option of it changes that.
        (Err(_), Proxy::Traefik) => {}
        (Err(_), proxy) => panic!("{proxy:?} waits for a silent checker"),
    }
    accepting.abort();
    assert_eq!(world.upstream.count().await, before);
}
