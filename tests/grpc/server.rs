//! A tonic server on a socket of its own, and clients of it.

use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::metadata::MetadataValue;
use tonic::server::NamedService;
use tonic::transport::server::Router;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Status};
use tower::Layer;
use tower_api_key::store::KeyStore;
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, Profile, rules::Route, rules::Routes};

use super::users::Echo;
use super::users_v1::users_client::UsersClient;
use super::users_v1::users_server::UsersServer;
use super::users_v1::{CreateUserRequest, ListUsersRequest, User, WatchUsersRequest};
use crate::support::{KEY, store};

/// The builder of a gate whose key has the scope `users.read`.
pub(crate) fn builder(profile: Profile<'_>) -> ApiKeyLayerBuilder {
    gate_of(profile, store(|key| key.scopes(["users.read"]))).routes(routes(Route::new()))
}

/// The builder of a gate for `UsersServer`.
pub(crate) fn gate_of(profile: Profile<'_>, store: impl KeyStore) -> ApiKeyLayerBuilder {
    ApiKeyLayer::builder(profile, store).grpc_services([UsersServer::<Echo>::NAME])
}

/// Calls read, but `CreateUser` is as given.
pub(crate) fn routes(create: Route<'static>) -> Routes {
    let read = Route::new().all_of(&["users.read"]);
    Routes::new()
        .post("/vendors.v1.Users/ListUsers", read)
        .post("/vendors.v1.Users/WatchUsers", read)
        .post("/vendors.v1.Users/CreateUser", create)
}

/// Serves `UsersServer` behind a gate.
pub(crate) async fn start(gate: &ApiKeyLayer) -> Client {
    Client::of(run(Server::builder().add_service(gate.layer(UsersServer::new(Echo)))).await).await
}

/// Serves on a free port, as long as the test's runtime.
pub(crate) async fn run(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(router.serve_with_incoming(TcpListenerStream::new(listener)));
    address
}

/// A client with a key.
#[derive(Clone)]
pub(crate) struct Client {
    users: UsersClient<Channel>,
    authorization: Option<String>,
    forwarded: Option<&'static str>,
}

impl Client {
    pub(crate) async fn of(address: SocketAddr) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        Self::over(endpoint.connect().await.unwrap())
    }

    pub(crate) fn over(channel: Channel) -> Self {
        let authorization = Some(format!("Bearer {KEY}"));
        Self { users: UsersClient::new(channel), authorization, forwarded: None }
    }

    /// The same client behind a proxy that sends this.
    pub(crate) fn forwarded(&self, forwarded: &'static str) -> Self {
        Self { forwarded: Some(forwarded), ..self.clone() }
    }

    /// The same client with this credential.
    pub(crate) fn with(&self, authorization: Option<&str>) -> Self {
        Self { authorization: authorization.map(str::to_owned), ..self.clone() }
    }

    fn call<T>(&self, message: T) -> Request<T> {
        let mut call = Request::new(message);
        if let Some(authorization) = &self.authorization {
            let value = MetadataValue::try_from(authorization).unwrap();
            call.metadata_mut().insert("authorization", value);
        }
        if let Some(forwarded) = self.forwarded {
            call.metadata_mut().insert("forwarded", MetadataValue::from_static(forwarded));
        }
        call
    }

    pub(crate) async fn list(&self) -> Result<Vec<User>, Status> {
        let answer = self.users.clone().list_users(self.call(ListUsersRequest {})).await?;
        Ok(answer.into_inner().users)
    }

    pub(crate) async fn create(&self, name: &str) -> Result<tonic::Response<User>, Status> {
        let user = CreateUserRequest { name: name.to_owned(), ..CreateUserRequest::default() };
        self.users.clone().create_user(self.call(user)).await
    }

    pub(crate) async fn watch(&self) -> Result<Vec<User>, Status> {
        let answer = self.users.clone().watch_users(self.call(WatchUsersRequest {})).await?;
        let (mut stream, mut users) = (answer.into_inner(), Vec::new());
        while let Some(user) = stream.message().await? {
            users.push(user);
        }
        Ok(users)
    }
}
