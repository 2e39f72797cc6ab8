//! The route `POST /api/organizations/{org}/users/{user}/keys`, as Polytomic documents it.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::failure_observers::FailureObservers;
use super::users::{User, Users};
use tower_api_key::Denial;
use tower_api_key::Grant;
use tower_api_key::Observer;
use tower_api_key::key::{
    Account, Environment, InvalidRecord, IssueError, IssuedKey, Issuer, KeyRecord,
};
use tower_api_key::store::{KeyManager, ManageError, NewKey};

/// Issues keys to users over HTTP, and sends each secret once, in the response.
///
/// A key gets the audience and the environment of the key that asks for it, so the same gate accepts it.
///
/// ```
/// use std::sync::Arc;
///
/// use axum::Router;
/// use tower_api_key::key::{Issuer, KeyHasher};
/// use tower_api_key::store::KeyManager;
/// use tower_api_key::{ApiKeyLayer, vendors};
/// use tower_api_key_admin::{UserKeys, Users};
///
/// fn app(gate: ApiKeyLayer, store: Arc<dyn KeyManager>, users: Arc<dyn Users>) -> Router {
///     let issuer = Issuer::new(vendors::polytomic::ISSUED, KeyHasher::sha256());
///     let keys = UserKeys::new(issuer, store, users).of_kind("organization");
///     Router::new().merge(keys.router()).layer(gate)
/// }
/// ```
#[derive(Clone)]
pub struct UserKeys(Arc<Parts>);

#[derive(Clone)]
struct Parts {
    issuer: Issuer,
    manager: Arc<dyn KeyManager>,
    users: Arc<dyn Users>,
    kind: Option<&'static str>,
    observers: FailureObservers,
}

impl UserKeys {
    /// The path of the route, in axum's syntax.
    pub const PATH: &'static str = "/api/organizations/{org}/users/{user}/keys";

    /// Returns a service that issues keys of the issuer's format to these users, and adds them to a store. The
    /// issuer must have the same hasher as the gate, or the gate will not find the keys.
    pub fn new(issuer: Issuer, manager: Arc<dyn KeyManager>, users: Arc<dyn Users>) -> Self {
        let observers = FailureObservers::default();
        Self(Arc::new(Parts { issuer, manager, users, kind: None, observers }))
    }

    /// Sets the kind of the keys; without it they have none.
    pub fn of_kind(mut self, kind: &'static str) -> Self {
        Arc::make_mut(&mut self.0).kind = Some(kind);
        self
    }

    /// Adds an observer that learns why no key could be issued: [`Observer::store_failed`] has the cause. The gate reports
    /// the refusal only, because the failure is not one of its own look-ups.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        Arc::make_mut(&mut self.0).observers.add(observer);
        self
    }

    /// Returns the router, to be layered with a gate.
    ///
    /// `POST` at [`PATH`](Self::PATH) answers 200 with `{"data":{"value":"…"}}`, the new key. The query
    /// parameter `force=true` revokes the user's other keys of the same audience in the same step; the default
    /// is `false`. Another value of `force` is answered 400, and a key that would break a rule of a
    /// [policy](tower_api_key::policy) 422. A key of this route has neither an expiry nor scopes of its own, so a policy
    /// that demands one of them refuses every key. A [`Denial`] of [`Users::find`] is answered as
    /// the gate's profile answers it, and a failing store with that of
    /// [`StoreUnavailable`](Denial::StoreUnavailable).
    ///
    /// [`Users::find`] decides which accounts exist: the first key of an account adds it to the store.
    pub fn router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        Router::new().route(Self::PATH, post(create)).with_state(self)
    }

    /// Issues a key. Adding it and revoking the user's other keys are one step.
    async fn issue(&self, by: &Grant, user: &User, force: bool) -> Result<IssuedKey, ManageError> {
        let Parts { issuer, manager, kind, .. } = &*self.0;
        // A store that knows the account keeps its own state of it.
        let account = Account::builder(user.account.as_str()).build()?;
        let id = format!("key_{}", Uuid::now_v7().simple());
        let mut record = KeyRecord::builder(id, account)
            .owner(&user.id)
            .name(format!("issued to {}", user.name));
        if let Some(kind) = kind {
            record = record.kind(*kind);
        }
        // The gate of the asking key must accept the new key.
        if let Some(audience) = by.record().audience() {
            record = record.audience(audience.as_str());
        }
        // The same environment, too: a gate that is set to one refuses keys without one.
        let environment = by.environment().map(Environment::as_str);
        let issued = match issuer.issue(environment) {
            Err(IssueError::UnknownEnvironment) => issuer.issue(None),
            issued => issued,
        };
        let issued = issued.map_err(tower_api_key::store::StoreError::new)?;
        // If the key's text names another environment, building the record fails.
        let named = issued.form().environment().map(Environment::as_str);
        if let Some(environment) = environment.or(named) {
            record = record.environment(environment);
        }
        let mut key = NewKey::issued(&issued, record)?;
        if force {
            key = key.revoking_others();
        }
        manager.add(key, by.key_id().as_str()).await?;
        Ok(issued)
    }
}

#[derive(Debug, Deserialize)]
struct Parameters {
    #[serde(default)]
    force: bool,
}

async fn create(
    grant: Grant,
    State(keys): State<UserKeys>,
    Path((organization, user)): Path<(String, String)>,
    query: Result<Query<Parameters>, QueryRejection>,
) -> Result<Response, Denial> {
    let user = keys.0.users.find(&grant, &organization, &user).await?;
    let Ok(Query(Parameters { force })) = query else {
        let problem = "force must be true or false";
        return Ok(refusal("bad_request", problem, StatusCode::BAD_REQUEST));
    };
    let issued = keys.issue(&grant, &user, force).await;
    keys.0.observers.note(&issued);
    let issued = match issued {
        Ok(issued) => issued,
        // The operators have set the rule, and the request has no field to change.
        Err(ManageError::PolicyViolated(violation)) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return Ok(refusal("policy_violated", &violation.to_string(), status));
        }
        Err(ManageError::Invalid(problem @ InvalidRecord::ReservedAuthor(_))) => {
            return Ok(refusal("reserved_author", &problem.to_string(), StatusCode::FORBIDDEN));
        }
        Err(ManageError::PolicyUnreadable { .. } | ManageError::Store(_)) => {
            return Err(Denial::StoreUnavailable);
        }
        Err(_) => return Err(Denial::InternalError),
    };
    let value = issued.expose();
    let secret = Json(json!({ "data": { "value": value } }));
    // Caches must not store the secret.
    Ok(([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], secret).into_response())
}

fn refusal(key: &str, message: &str, status: StatusCode) -> Response {
    let body = json!({
        "key": key,
        "message": message,
        "metadata": {},
        "status": status.as_u16(),
    });
    (status, Json(body)).into_response()
}
