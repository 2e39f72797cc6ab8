//! The users of REST API Integrations over a WebSocket: each user once, as JSON, until the client hangs up. The
//! socket has a gate of its own, because it also reads keys from the offered protocols.

use std::collections::BTreeSet;

use axum::Router;
use axum::extract::ws::{Message, WebSocket};
use axum::extract::{State, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::any;
use http::Method;
use tower_api_key::concurrency::Concurrency;
use tower_api_key::profile::CredentialSource;
use tower_api_key::rules::{Route, RouteRow};
use tower_api_key::{Denial, Grant, Profile, vendors};

use crate::data::Tables;

pub(crate) const PATH: &str = "/v1/users/live";

/// A browser can send its key in a protocol only, all other clients in `Authorization`.
pub(crate) const PROFILE: Profile = Profile {
    credentials: &[CredentialSource::bearer(), CredentialSource::websocket_protocol("api-key.")],
    ..vendors::REST_INTEGRATIONS
};

/// One socket for each account.
pub(crate) const ROUTES: &[RouteRow] = &[RouteRow {
    methods: &[Method::GET],
    path: PATH,
    route: Route::new().all_of(&["users.read"]).concurrency(Concurrency::new(1)),
}];

pub(crate) fn router() -> Router<Tables> {
    Router::new().route(PATH, any(open))
}

async fn open(
    grant: Grant,
    State(users): State<Tables>,
    socket: WebSocketUpgrade,
) -> Result<Response, Denial> {
    let permit = grant.permit()?;
    Ok(socket.protocols(["users.v1"]).on_upgrade(async move |socket| {
        send_users(socket, &users, &grant).await;
        drop(permit);
    }))
}

/// Sends each user once, until the client hangs up.
async fn send_users(mut socket: WebSocket, users: &Tables, grant: &Grant) {
    let mut added = users.watch();
    let mut sent = BTreeSet::new();
    loop {
        added.mark_unchanged();
        for (id, row) in users.of(grant, |table| table.rows()) {
            let user = crate::rest_integrations::user(&id, &row).to_string();
            if sent.insert(id) && socket.send(Message::Text(user.into())).await.is_err() {
                return;
            }
        }
        tokio::select! {
            heard = socket.recv() => if !matches!(heard, Some(Ok(_))) { return },
            changed = added.changed() => if changed.is_err() { return },
        }
    }
}
