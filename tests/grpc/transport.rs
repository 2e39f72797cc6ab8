//! What tonic notes of a connection is the proof of peer and TLS.

use std::net::SocketAddr;

use tokio::net::{TcpListener, UnixListener};
use tokio_stream::wrappers::{TcpListenerStream, UnixListenerStream};
use tonic::Code;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity, Server, ServerTlsConfig};
use tower::Layer;
use tower_api_key::ApiKeyLayer;
use tower_api_key::request::{ProxyHeaders, TrustedProxies};

use super::server::{Client, builder, gate_of, routes, start};
use super::users::Echo;
use super::users_v1::users_server::UsersServer;
use crate::support::{PROFILE, store};

/// Starts a server with tonic's own TLS, and returns a client that trusts it.
async fn over_tls(gate: &ApiKeyLayer) -> (SocketAddr, Client) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let identity = Identity::from_pem(made.cert.pem(), made.signing_key.serialize_pem());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::builder().tls_config(ServerTlsConfig::new().identity(identity)).unwrap();
    let router = { server }.add_service(gate.layer(UsersServer::new(Echo)));
    tokio::spawn(router.serve_with_incoming(TcpListenerStream::new(listener)));
    let trust = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(made.cert.pem()))
        .domain_name("localhost");
    let endpoint = Endpoint::from_shared(format!("https://{address}")).unwrap();
    let channel = endpoint.tls_config(trust).unwrap().connect().await.unwrap();
    (address, Client::over(channel))
}

#[tokio::test]
async fn tonics_handshake_proves_tls_and_peer() {
    for (network, code) in [("127.0.0.0/8", Code::Ok), ("192.0.2.0/24", Code::PermissionDenied)] {
        let store = store(|key| key.scopes(["users.read"]).networks([network]));
        let builder = gate_of(PROFILE, store);
        let gate = builder.routes(routes(tower_api_key::rules::Route::new())).build().unwrap();
        let (_, client) = over_tls(&gate).await;
        let answer = client.list().await;
        assert_eq!(answer.map_or_else(|status| status.code(), |_| Code::Ok), code, "{network}");
        let refused = client.with(None).watch().await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated, "the gate has seen TLS");
    }
}

/// Without TLS the peer is known, and may be a trusted proxy.
#[tokio::test]
async fn tonics_peer_may_be_a_proxy() {
    use tower_api_key::key::Networks;
    let refused = start(&builder(PROFILE).build().unwrap()).await.list().await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::InvalidArgument, "HTTPS is required."));
    let networks = Networks::new(["127.0.0.1"]).unwrap();
    let proxies = TrustedProxies::new(networks, ProxyHeaders::Forwarded);
    let gate = builder(PROFILE).trusted_proxies(proxies).build().unwrap();
    let client = start(&gate).await;
    assert!(client.list().await.is_err(), "the proxy says nothing of HTTPS");
    let client = client.forwarded("for=192.0.2.7;proto=https");
    assert_eq!(client.list().await.unwrap().len(), 1);
}

#[tokio::test]
async fn tonics_unix_socket_may_be_a_proxys() {
    let folder = std::env::temp_dir().join(format!("grpc-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("socket");
    let proxies = TrustedProxies::unix_socket(ProxyHeaders::Forwarded);
    let gate = builder(PROFILE).trusted_proxies(proxies).build().unwrap();
    let incoming = UnixListenerStream::new(UnixListener::bind(&path).unwrap());
    let router = Server::builder().add_service(gate.layer(UsersServer::new(Echo)));
    tokio::spawn(router.serve_with_incoming(incoming));
    let endpoint = Endpoint::from_shared(format!("unix://{}", path.display())).unwrap();
    let client = Client::over(endpoint.connect().await.unwrap());
    assert_eq!(client.list().await.unwrap_err().message(), "HTTPS is required.");
    let client = client.forwarded("for=192.0.2.7;proto=https");
    assert_eq!(client.list().await.unwrap().len(), 1);
    std::fs::remove_dir_all(&folder).unwrap();
}
