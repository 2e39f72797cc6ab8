//! A gated service whose layer is replaced while its server runs.

use tonic::Code;
use tonic::transport::Server;
use tower::Layer;
use tower_api_key::reload::ReloadableLayer;
use tower_api_key::rules::Route;

use super::server::{Client, builder, routes, run};
use super::users::Echo;
use super::users_v1::users_server::UsersServer;
use crate::support::PROFILE;

#[tokio::test]
async fn an_open_channel_meets_the_new_layer() {
    let open = || builder(PROFILE).routes(routes(Route::new())).assume_https();
    let (layer, handle) = ReloadableLayer::new(open().build().unwrap());
    let users = layer.layer(UsersServer::new(Echo));
    let client = Client::of(run(Server::builder().add_service(users)).await).await;
    assert_eq!(client.create("someone").await.unwrap().into_inner().name, "acme");

    let closed = builder(PROFILE).assume_https();
    let closed = closed.routes(routes(Route::new().all_of(&["users.write"])));
    handle.reload(|previous| closed.build_after(previous)).unwrap();
    assert_eq!(client.list().await.unwrap().len(), 1);
    assert_eq!(client.create("someone").await.unwrap_err().code(), Code::PermissionDenied);
    let failed = client.create("failed").await.unwrap_err();
    assert_eq!(failed.code(), Code::PermissionDenied, "the service is not called");

    handle.reload(|previous| open().build_after(previous)).unwrap();
    let failed = client.create("failed").await.unwrap_err();
    assert_eq!(failed.code(), Code::Internal, "the service refuses through the new layer");
}
