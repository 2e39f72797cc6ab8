//! The router of the console.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use http::StatusCode;
use tower_api_key::ApiKeyLayer;

use super::fields::Fields;
use super::sessions::ConsoleSessions;
use super::shared::Shared;
use super::{
    account_form, accounts, assets, changes, doors, endings, key_form, key_page, listing, policies,
    policy_form, protection, quotas, sign_in, usage,
};

/// Web pages with which people manage keys.
///
/// ```
/// use std::sync::Arc;
/// use axum::Router;
/// use tower_api_key::key::{Issuer, KeyFormat, KeyHasher};
/// use tower_api_key::store::MemoryStore;
/// use tower_api_key_admin::console::Console;
/// use tower_api_key_admin::management::Management;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let hasher = KeyHasher::sha256();
/// let issuer = Issuer::new(KeyFormat::STANDARD, hasher.clone());
/// let management = Management::builder(Arc::new(MemoryStore::new()), issuer, hasher);
/// let console = Console::builder(management.operators(["staff"]).build()?).build()?;
/// let app: Router = Router::new().merge(console.router()); // pages below `/console`
/// # Ok(()) }
/// ```
pub struct Console {
    pub(super) shared: Arc<Shared>,
    pub(super) sign_in: ApiKeyLayer,
    pub(super) open: ApiKeyLayer,
    pub(super) pages: ApiKeyLayer,
}

impl Console {
    /// Returns the open sessions, for [`ConsoleBuilder::with_sessions`](super::ConsoleBuilder::with_sessions) of a console
    /// that takes the place of this one.
    pub fn sessions(&self) -> ConsoleSessions {
        ConsoleSessions(Arc::clone(&self.shared.sessions))
    }

    /// Returns the router, to be merged into an app. It has gates of its own, so put no other gate around it.
    pub fn router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        let Self { shared, sign_in, open, pages } = self;
        let path = shared.path.clone();
        let at = |page: &str| format!("{path}/{page}");
        let first = format!("{path}/keys");
        let first = move || {
            let first = first.clone();
            async move { Redirect::to(&first) }
        };
        let pages = Router::new()
            .route(&path, get(first.clone()))
            .route(&at(""), get(first))
            .route(&at("keys"), get(listing::keys).post(listing::filter))
            .route(&at("expiring"), get(listing::expiring))
            .route(&at("whose-key"), post(listing::whose_key))
            .route(&at("key"), get(key_page::key))
            .route(&at("new-key"), get(key_form::new).post(key_form::create))
            .route(&at("edit-key"), get(key_form::edit).post(key_form::save))
            .route(&at("rotate-key"), get(endings::ask_rotation).post(endings::rotate))
            .route(&at("end-earlier-secrets"), get(endings::ask_end).post(endings::end))
            .route(&at("revoke-key"), get(endings::ask_revocation).post(endings::revoke))
            .route(&at("delete-key"), get(endings::ask_deletion).post(endings::delete))
            .route(&at("give-back"), get(quotas::ask).post(quotas::give_back))
            .route(&at("accounts"), get(accounts::accounts))
            .route(&at("account"), get(accounts::account))
            .route(&at("account-usage"), get(usage::file))
            .route(&at("new-account"), get(account_form::new).post(account_form::create))
            .route(&at("edit-account"), get(account_form::edit).post(account_form::save))
            .route(&at("policies"), get(policies::policies))
            .route(&at("policy-review"), get(policies::review))
            .route(&at("new-policy"), get(policy_form::new).post(policy_form::create))
            .route(&at("edit-policy"), get(policy_form::edit).post(policy_form::save))
            .route(&at("delete-policy"), get(policies::ask_deletion).post(policies::delete))
            .route(&at("trail"), get(changes::trail))
            .route(&at("sign-out"), post(sign_in::sign_out))
            .route(&at("{*unknown}"), get(unknown))
            .layer(pages)
            .layer(from_fn_with_state(Arc::clone(&shared), doors::with_session));
        let form = Router::new()
            .route(&at("sign-in"), get(sign_in::form))
            .layer(open)
            .layer(from_fn_with_state(Arc::clone(&shared), doors::with_pages));
        let sent = Router::new()
            .route(&at("sign-in"), post(sign_in::sign_in))
            .layer(sign_in)
            .layer(from_fn_with_state(Arc::clone(&shared), doors::with_key));
        let assets = Router::new().route(&at("assets/{name}"), get(assets::serve));
        pages
            .merge(form)
            .merge(sent)
            .merge(assets)
            .layer(DefaultBodyLimit::max(Fields::LARGEST))
            .layer(from_fn(protection::protect))
            .with_state(shared)
    }
}

async fn unknown(visit: super::visit::Visit) -> Response {
    visit.problem(StatusCode::NOT_FOUND, "There is no such page.").into_response()
}

impl fmt::Debug for Console {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Console").field("path", &self.shared.path).finish_non_exhaustive()
    }
}
