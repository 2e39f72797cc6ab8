//! One server, some of its services gated.

use std::convert::Infallible;
use std::task::{Context, Poll};

use http::{Request, Response};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::Code;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::transport::Server;
use tower::{Layer, Service};

use super::server::{Client, builder, run};
use super::users::Echo;
use super::users_v1::users_server::UsersServer;
use crate::support::PROFILE;

/// Another service, which is open: it answers each call with `not found`.
#[derive(Clone)]
struct Health;

impl NamedService for Health {
    const NAME: &'static str = "grpc.health.v1.Health";
}

impl Service<Request<Body>> for Health {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        std::future::ready(Ok(tonic::Status::not_found("healthy").into_http()))
    }
}

async fn code_of(address: std::net::SocketAddr, path: &'static str) -> Code {
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{address}")).unwrap();
    let mut client = tonic::client::Grpc::new(endpoint.connect().await.unwrap());
    client.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    let path = http::uri::PathAndQuery::from_static(path);
    let answer = client.unary(tonic::Request::new(()), path, codec).await;
    answer.map_or_else(|status| status.code(), |_| Code::Ok)
}

#[tokio::test]
async fn a_gated_service_leaves_the_others_open() {
    let gate = builder(PROFILE).assume_https().build().unwrap();
    let gated = gate.layer(UsersServer::new(Echo));
    let address = run(Server::builder().add_service(gated).add_service(Health)).await;
    assert_eq!(code_of(address, "/vendors.v1.Users/ListUsers").await, Code::Unauthenticated);
    assert_eq!(code_of(address, "/grpc.health.v1.Health/Check").await, Code::NotFound);
    assert_eq!(code_of(address, "/other.v1.Service/Call").await, Code::Unimplemented);
    assert_eq!(Client::of(address).await.list().await.unwrap().len(), 1);
}

/// As a layer of the server, the gate guards each service and what there is not.
#[tokio::test]
async fn a_gated_server_is_closed() {
    let gate = builder(PROFILE).assume_https().only_grpc().build().unwrap();
    let mut server = Server::builder().layer(gate);
    let router = server.add_service(UsersServer::new(Echo)).add_service(Health);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(router.serve_with_incoming(TcpListenerStream::new(listener)));
    for path in
        ["/vendors.v1.Users/ListUsers", "/grpc.health.v1.Health/Check", "/other.v1.Service/Call"]
    {
        assert_eq!(code_of(address, path).await, Code::Unauthenticated, "{path}");
    }
    assert_eq!(Client::of(address).await.list().await.unwrap().len(), 1);
}
