//! The service behind the gate.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::sleep;
use tokio_stream::Stream;
use tonic::{Request, Response, Status};
use tower_api_key::{Denial, Grant};

use super::users_v1::users_server::Users;
use super::users_v1::{
    CreateUserRequest, ListUsersRequest, ListUsersResponse, User, WatchUsersRequest,
};

/// Lists and sends users that are called as the caller's account. What it does with a new user says the
/// user's name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Echo;

fn user<T>(call: &Request<T>) -> User {
    let account = call.extensions().get::<Grant>().map(|grant| grant.account().to_string());
    User { name: account.unwrap_or_else(|| "stranger".to_owned()), ..User::default() }
}

#[tonic::async_trait]
impl Users for Echo {
    async fn list_users(
        &self,
        call: Request<ListUsersRequest>,
    ) -> Result<Response<ListUsersResponse>, Status> {
        Ok(Response::new(ListUsersResponse { users: vec![user(&call)] }))
    }

    async fn create_user(
        &self,
        call: Request<CreateUserRequest>,
    ) -> Result<Response<User>, Status> {
        match call.get_ref().name.as_str() {
            "slow" => sleep(Duration::from_secs(60)).await,
            "forbidden" => {
                call.extensions().get::<Grant>().unwrap().require("users.delete")?;
            }
            "failed" => return Err(Denial::InternalError.into()),
            "taken" => return Err(Status::already_exists("The service's own words.")),
            _ => {}
        }
        Ok(Response::new(user(&call)))
    }

    type WatchUsersStream = Pin<Box<dyn Stream<Item = Result<User, Status>> + Send>>;

    async fn watch_users(
        &self,
        call: Request<WatchUsersRequest>,
    ) -> Result<Response<Self::WatchUsersStream>, Status> {
        let user = user(&call);
        let users = tokio_stream::iter([Ok(user.clone()), Ok(user)]);
        Ok(Response::new(Box::pin(users)))
    }
}
