//! The same tables of requests against nginx, Traefik, Caddy and Envoy, each with the configuration that the example
//! ships, in front of a service of Python.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod admitted;
mod borders;
mod client;
mod outages;
mod paths;
mod program;
mod proxy;
mod refused;
mod smuggled;
mod upstream;
mod world;

use forward_auth::Proxy;
use world::World;

/// Runs all tables against one proxy.
async fn keeps_the_gate(proxy: Proxy) {
    // A checker that falls silent is waited for as long as the configuration says.
    let Some(mut world) = World::with(proxy, |text| text.replace("5s", "1s")).await else { return };
    admitted::pass(&world).await;
    admitted::cost_once(&world).await;
    refused::look_as_the_gate_made_them(&world).await;
    paths::are_judged_as_the_service_reads_them(&world).await;
    smuggled::headers_give_nothing(&world).await;
    outages::give_no_access(&mut world).await;
}

#[tokio::test]
async fn nginx_keeps_the_gate() {
    keeps_the_gate(Proxy::Nginx).await;
}

#[tokio::test]
async fn traefik_keeps_the_gate() {
    keeps_the_gate(Proxy::Traefik).await;
}

#[tokio::test]
async fn caddy_keeps_the_gate() {
    keeps_the_gate(Proxy::Caddy).await;
}

#[tokio::test]
async fn envoy_keeps_the_gate() {
    keeps_the_gate(Proxy::Envoy).await;
}
