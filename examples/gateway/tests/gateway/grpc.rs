//! gRPC through the gateway: calls, streams, trailers and statuses, over HTTP/2 to both sides.

use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_stream::{Stream, StreamExt};
use tonic::transport::{Endpoint, Server};
use tonic::{Code, Request, Response, Status};

use crate::site::{Site, one};
use crate::users_v1::users_client::UsersClient;
use crate::users_v1::users_server::{Users, UsersServer};
use crate::users_v1::{
    CreateUserRequest, ListUsersRequest, ListUsersResponse, User, WatchUsersRequest,
};

struct Echo;

/// Returns a user with the name of the caller's account, as the gateway writes it.
fn caller<T>(call: &Request<T>) -> User {
    let account = call.metadata().get("x-account-id").map(|account| account.to_str().unwrap());
    let has_key = call.metadata().contains_key("x-api-key");
    User { name: format!("{} {has_key}", account.unwrap_or_default()), ..User::default() }
}

#[tonic::async_trait]
impl Users for Echo {
    async fn list_users(
        &self,
        call: Request<ListUsersRequest>,
    ) -> Result<Response<ListUsersResponse>, Status> {
        Ok(Response::new(ListUsersResponse { users: vec![caller(&call)] }))
    }

    async fn create_user(&self, _: Request<CreateUserRequest>) -> Result<Response<User>, Status> {
        Err(Status::already_exists("taken"))
    }

    type WatchUsersStream = Pin<Box<dyn Stream<Item = Result<User, Status>> + Send>>;

    async fn watch_users(
        &self,
        call: Request<WatchUsersRequest>,
    ) -> Result<Response<Self::WatchUsersStream>, Status> {
        let user = caller(&call);
        let users = tokio_stream::iter([Ok(user.clone()), Ok(user)]).then(|user| async {
            sleep(Duration::from_millis(100)).await;
            user
        });
        let users = users.chain(tokio_stream::once(Err(Status::data_loss("the end"))));
        Ok(Response::new(Box::pin(users)))
    }
}

async fn upstream() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::builder().add_service(UsersServer::new(Echo));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    address
}

#[tokio::test]
async fn calls_streams_and_statuses_pass() {
    let site = Site::start(&one(upstream().await, "protocol = 'http2'")).await;
    let channel = Endpoint::from_shared(format!("http://{}", site.address)).unwrap();
    let channel = channel.connect().await.unwrap();
    let key = site.key.clone();
    let mut client = UsersClient::with_interceptor(channel, move |mut call: Request<()>| {
        let headers = call.metadata_mut();
        headers.insert("x-api-key", key.parse().unwrap());
        headers.insert("x-forwarded-proto", "https".parse().unwrap());
        headers.insert("x-forwarded-for", "192.0.2.1".parse().unwrap());
        headers.insert("x-account-id", "forged".parse().unwrap());
        Ok(call)
    });
    let listed = client.list_users(ListUsersRequest::default()).await.unwrap().into_inner();
    assert_eq!(listed.users[0].name, "account_1 false", "the key stays at the gateway");

    let status = client.create_user(CreateUserRequest::default()).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::AlreadyExists, "taken"));

    let mut watched = client.watch_users(WatchUsersRequest::default()).await.unwrap().into_inner();
    for _ in 0..2 {
        assert_eq!(watched.message().await.unwrap().unwrap().name, "account_1 false");
    }
    let status = watched.message().await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::DataLoss, "the end"));
}
