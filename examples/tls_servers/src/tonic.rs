//! tonic with its own TLS. The gate reads what tonic notes of each connection, so nothing is to be written.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::transport::{Identity, Server, ServerTlsConfig};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use tower::{Layer, Service};
use tower_api_key::Grant;
use tower_api_key::request::Client;

use crate::{Failure, Setup};

/// Serves until the process ends.
///
/// # Errors
///
/// [`Failure`] if the certificate cannot be used, or the listener fails.
pub async fn serve(listener: TcpListener, setup: Setup) -> Result<(), Failure> {
    let identity = Identity::from_pem(&setup.certificate, &setup.private_key);
    let tls = ServerTlsConfig::new().identity(identity); // the proof of TLS
    let router = Server::builder().tls_config(tls)?.add_service(setup.gate.layer(GreeterServer));
    Ok(router.serve_with_incoming(TcpListenerStream::new(listener)).await?)
}

/// A gRPC service with one method, `/hello.v1.Greeter/Greet`. Both messages are a `google.protobuf.StringValue`.
#[derive(Debug, Clone)]
pub struct GreeterServer;

impl NamedService for GreeterServer {
    const NAME: &'static str = "hello.v1.Greeter";
}

impl Service<http::Request<Body>> for GreeterServer {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async {
            let mut server = Grpc::new(ProstCodec::<String, String>::default());
            Ok(server.unary(Greet, request).await)
        })
    }
}

struct Greet;

impl UnaryService<String> for Greet {
    type Response = String;
    type Future = Ready<Result<Response<String>, Status>>;

    fn call(&mut self, request: Request<String>) -> Self::Future {
        let found = request.extensions().get::<Grant>();
        let greeting = found.ok_or(Status::internal("no gate")).map(|grant| {
            let client = request.extensions().get::<Client>();
            let address = client.and_then(|client| client.address);
            let address = address.map_or("unknown".to_owned(), |address| address.to_string());
            Response::new(format!("{} {} at {address}", request.get_ref(), grant.account()))
        });
        ready(greeting)
    }
}
