//! A proxy on the same machine, over a real Unix socket: trusted where that was said, and by nobody else.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::{env, fs, process};

use tokio::net::{UnixListener, UnixStream};
use tower_api_key::key::Networks;
use tower_api_key::request::{Connection, ProxyHeaders, TrustedProxies};
use tower_api_key::{ApiKeyLayer, vendors};

use super::answers::{FORBIDDEN, HTTPS, SERVED};
use super::gates::gate;
use super::server::{greet, serve};
use super::wire::{Answer, Client, head};
use crate::support::KEY;

/// A socket in the folder for temporary files, which goes with it.
struct Socket(PathBuf);

impl Socket {
    /// Listens, and says this of each connection.
    fn of(name: &str, layer: ApiKeyLayer, facts: Connection) -> Self {
        let path = env::temp_dir().join(format!("tower-api-key-{}-{name}", process::id()));
        let _ = fs::remove_file(&path);
        let listener = UnixListener::bind(&path).unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let reached = Arc::new(AtomicUsize::new(0));
                tokio::spawn(serve(stream, facts, layer.clone(), reached, greet));
            }
        });
        Self(path)
    }

    async fn get(&self, lines: &str) -> Answer {
        let mut client = Client::over(UnixStream::connect(&self.0).await.unwrap());
        let lines = format!("Authorization: Bearer {KEY}{lines}");
        client.send(head("GET / HTTP/1.1", lines)).await;
        client.answer().await
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// A gate whose key serves clients of one network only, behind these proxies.
fn behind(proxies: TrustedProxies) -> ApiKeyLayer {
    gate(vendors::REST_INTEGRATIONS, KEY, |key| key.networks(["192.0.2.0/24"]))
        .trusted_proxies(proxies)
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_proxy_over_a_unix_socket_is_believed_where_it_is_trusted() {
    let networks = || Networks::new(["127.0.0.0/8", "10.0.0.0/8"]).unwrap();
    let by_address = || TrustedProxies::new(networks(), ProxyHeaders::XForwarded);
    let on_this_machine = TrustedProxies::unix_socket(ProxyHeaders::XForwarded);
    let both = by_address().and_unix_socket();
    let socket = Connection::unix_socket;
    let trusting = Socket::of("trusting", behind(on_this_machine.clone()), socket());
    let either = Socket::of("either", behind(both), socket());
    let by_address = Socket::of("by-address", behind(by_address()), socket());
    let unmarked = Socket::of("unmarked", behind(on_this_machine), Connection::unknown());
    let told = "\r\nX-Forwarded-For: 192.0.2.60\r\nX-Forwarded-Proto: https";
    let elsewhere = "\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https";
    let chain = "\r\nX-Forwarded-For: 192.0.2.60, 10.0.0.1\r\nX-Forwarded-Proto: wss";
    for (socket, lines, expected) in [
        (&trusting, told, SERVED),
        (&either, told, SERVED),
        (&trusting, elsewhere, FORBIDDEN),
        // Further proxies are trusted by their addresses.
        (&either, chain, SERVED),
        (&trusting, chain, FORBIDDEN),
        (&trusting, "\r\nX-Forwarded-For: 192.0.2.60\r\nX-Forwarded-Proto: ws", HTTPS),
        (&trusting, "\r\nX-Forwarded-Proto: https", FORBIDDEN),
        // One that says nothing proves nothing.
        (&trusting, "", HTTPS),
        (&trusting, "\r\nForwarded: for=192.0.2.60;proto=https", HTTPS),
        (&by_address, told, HTTPS),
        (&unmarked, told, HTTPS),
    ] {
        assert_eq!(socket.get(lines).await, Answer::of(expected), "{lines}");
    }
}
