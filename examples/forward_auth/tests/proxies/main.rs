//! The same table of requests against nginx, Traefik, Caddy and Envoy, each with the configuration that the example ships,
//! in front of a service of Python.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod client;
mod proxy;
mod upstream;
mod world;

use forward_auth::Proxy;
use world::World;

async fn try_it(proxy: Proxy) {
    let Some(world) = World::start(proxy).await else { return };
    for (start, lines, body) in [
        ("GET /v1/users?page=2", "Authorization: Bearer {active}\nX-Account-Id: victim\n", ""),
        ("POST /v1/users", "X-Api-Key: {writer}\n", "hello"),
        ("HEAD /v1/users", "X-Api-Key: {writer}\n", ""),
        ("GET /v1/users", "", ""),
        ("GET /v1/users", "X-Api-Key: {unscoped}\n", ""),
    ] {
        let answer = world.send(start, lines, body).await;
        println!("=== {start} {lines:?}\n{} {:#?}\n{}", answer.status, answer.fields, answer.body);
    }
    println!("{}", world.running.log());
}

#[tokio::test]
async fn nginx() {
    try_it(Proxy::Nginx).await;
}

#[tokio::test]
async fn traefik() {
    try_it(Proxy::Traefik).await;
}

#[tokio::test]
async fn caddy() {
    try_it(Proxy::Caddy).await;
}

#[tokio::test]
async fn envoy() {
    try_it(Proxy::Envoy).await;
}
