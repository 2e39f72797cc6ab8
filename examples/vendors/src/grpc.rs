//! The users of REST API Integrations over gRPC, as `proto/users.proto` describes them. The gate and the rows
//! are those of the REST API.

use std::collections::BTreeSet;

use http::Method;
use serde_json::Value;
use tokio::sync::mpsc::{Sender, channel};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};
use tower_api_key::Grant;
use tower_api_key::concurrency::Concurrency;
use tower_api_key::rules::{Route, RouteRow};

use crate::data::{Attributes, Tables};
use crate::users_v1::users_server::{Users, UsersServer};
use crate::users_v1::{
    CreateUserRequest, ListUsersRequest, ListUsersResponse, User, WatchUsersRequest,
};

/// The service's name.
pub(crate) const NAME: &str = "vendors.v1.Users";

/// The path of all methods, for axum.
pub(crate) const PATH: &str = "/vendors.v1.Users/{method}";

/// The scopes of each method. A call is a `POST` on the path of its method.
pub(crate) const ROUTES: &[RouteRow] = &[
    row("/vendors.v1.Users/ListUsers", READ),
    row("/vendors.v1.Users/CreateUser", Route::new().all_of(&["users.write"])),
    // A stream lives as long as its client wants it to.
    row("/vendors.v1.Users/WatchUsers", READ.concurrency(Concurrency::new(8))),
];
const READ: Route = Route::new().all_of(&["users.read"]);

/// The most users that wait for a slow client.
const WAITING: usize = 16;

const fn row(path: &'static str, route: Route<'static>) -> RouteRow<'static> {
    RouteRow { methods: &[Method::POST], path, route }
}

/// Returns the service of these users.
pub(crate) fn service(users: Tables) -> UsersServer<UserService> {
    UsersServer::new(UserService { users })
}

pub(crate) struct UserService {
    users: Tables,
}

#[tonic::async_trait]
impl Users for UserService {
    async fn list_users(
        &self,
        call: Request<ListUsersRequest>,
    ) -> Result<Response<ListUsersResponse>, Status> {
        let rows = self.users.of(grant(&call)?, |table| table.rows());
        let users = rows.iter().map(|(id, row)| user(id, row)).collect();
        Ok(Response::new(ListUsersResponse { users }))
    }

    async fn create_user(
        &self,
        call: Request<CreateUserRequest>,
    ) -> Result<Response<User>, Status> {
        let CreateUserRequest { name, email } = call.get_ref();
        let attributes = [("name", name), ("email", email)];
        let attributes = attributes.into_iter().filter(|(_, value)| !value.is_empty());
        let attributes: Attributes = attributes
            .map(|(name, value)| (name.to_owned(), Value::from(value.as_str())))
            .collect();
        let id = self.users.add(grant(&call)?, attributes.clone());
        Ok(Response::new(user(&id, &attributes)))
    }

    type WatchUsersStream = ReceiverStream<Result<User, Status>>;

    async fn watch_users(
        &self,
        call: Request<WatchUsersRequest>,
    ) -> Result<Response<Self::WatchUsersStream>, Status> {
        let (sender, receiver) = channel(WAITING);
        tokio::spawn(send_users(self.users.clone(), grant(&call)?.clone(), sender));
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

/// Sends each user once, until the client hangs up.
async fn send_users(users: Tables, grant: Grant, sender: Sender<Result<User, Status>>) {
    let mut added = users.watch();
    let mut sent = BTreeSet::new();
    loop {
        added.mark_unchanged();
        for (id, row) in users.of(&grant, |table| table.rows()) {
            if sent.insert(id.clone()) && sender.send(Ok(user(&id, &row))).await.is_err() {
                return;
            }
        }
        tokio::select! {
            () = sender.closed() => return,
            changed = added.changed() => if changed.is_err() { return },
        }
    }
}

/// Returns the grant that the gate added to a call.
// A `Status` is as large as tonic makes it.
#[allow(clippy::result_large_err)]
fn grant<T>(call: &Request<T>) -> Result<&Grant, Status> {
    call.extensions().get::<Grant>().ok_or_else(|| Status::internal("No gate guards this service."))
}

fn user(id: &str, row: &Attributes) -> User {
    let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    User { id: id.to_owned(), name: text("name"), email: text("email") }
}
