//! What the doors of the console let in, over HTTP without a browser.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::response::Response;
use http::{Request, StatusCode, header};
use tower::ServiceExt;
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::key::{Account, Issuer, KeyHasher};
use tower_api_key::request::Connection;
use tower_api_key::store::{KeyFilter, KeyManager, MemoryStore};
use tower_api_key_admin::console::Console;
use tower_api_key_admin::management::{Management, ManagementBuilder};

use crate::server::{FORMAT, add, fill};

/// A console over a store in memory, with a clock of the test's.
pub(crate) struct House {
    app: Router,
    pub(crate) store: Arc<dyn KeyManager>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) admin: String,
}

impl House {
    pub(crate) async fn new(over_http: bool) -> Self {
        Self::over(Arc::new(MemoryStore::new()), over_http, |management| management).await
    }

    /// Builds a console over a store, with further settings of its operations.
    pub(crate) async fn over(
        store: Arc<dyn KeyManager>,
        over_http: bool,
        settings: impl FnOnce(ManagementBuilder) -> ManagementBuilder,
    ) -> Self {
        let admin = fill(&*store).await;
        let clock = Arc::new(ManualClock::starting_at(Timestamp::from_unix_seconds(1_800_000_000)));
        let hasher = KeyHasher::sha256();
        let issuer = Issuer::new(FORMAT, hasher.clone());
        let management = settings(Management::builder(Arc::clone(&store), issuer, hasher))
            .operators(["staff"])
            .clock(Arc::clone(&clock))
            .build()
            .unwrap();
        let console = Console::builder(management).formats([FORMAT]);
        let console = if over_http { console.insecure_http() } else { console };
        Self { app: console.build().unwrap().router(), store, clock, admin }
    }

    /// Sends a request from an address; over TLS unless the peer is on port 80.
    async fn send(&self, mut request: Request<Body>, peer: &str) -> Response {
        let peer: std::net::SocketAddr = peer.parse().unwrap();
        let connection =
            if peer.port() == 80 { Connection::plain(peer) } else { Connection::tls(peer) };
        request.extensions_mut().insert(connection);
        self.app.clone().oneshot(request).await.unwrap()
    }

    async fn sign_in(&self, key: &str) -> Response {
        self.send(form("/console/sign-in", &format!("key={key}")), "192.0.2.1:443").await
    }

    /// Signs in, and returns the cookie.
    pub(crate) async fn session(&self, key: &str) -> String {
        let response = self.sign_in(key).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
        assert!(cookie.ends_with("; Path=/; Secure; HttpOnly; SameSite=Strict"), "{cookie}");
        assert!(cookie.starts_with("__Host-") && !cookie.contains(key), "{cookie}");
        cookie.split(';').next().unwrap().to_owned()
    }

    pub(crate) async fn get(&self, path: &str, cookie: &str) -> Response {
        let request = Request::get(path).header(header::COOKIE, cookie);
        self.send(request.body(Body::empty()).unwrap(), "192.0.2.1:443").await
    }

    pub(crate) async fn post(&self, path: &str, cookie: &str, body: &str) -> Response {
        let mut request = form(path, body);
        request.headers_mut().insert(header::COOKIE, cookie.parse().unwrap());
        self.send(request, "192.0.2.1:443").await
    }

    /// Returns the text that every form of a session has.
    pub(crate) async fn form_token(&self, cookie: &str) -> String {
        let page = text(self.get("/console/keys", cookie).await).await;
        let (_, rest) = page.split_once(r#"name="form_token" value=""#).unwrap();
        rest.split('"').next().unwrap().to_owned()
    }
}

fn form(path: &str, body: &str) -> Request<Body> {
    Request::post(path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::HOST, "keys.example")
        .header(header::ORIGIN, "https://keys.example")
        .header("sec-fetch-site", "same-origin")
        .body(Body::from(body.to_owned()))
        .unwrap()
}

pub(crate) async fn text(response: Response) -> String {
    String::from_utf8(to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap()
}

fn leads_to_sign_in(response: &Response) -> bool {
    let to = response.headers().get(header::LOCATION).map(|to| to.to_str().unwrap());
    response.status() == StatusCode::SEE_OTHER && to.unwrap().starts_with("/console/sign-in")
}

#[tokio::test]
async fn every_page_is_protected_by_its_headers_and_not_stored() {
    let house = House::new(false).await;
    let cookie = house.session(&house.admin).await;
    for path in ["/console/keys", "/console/sign-in", "/console/nothing", "/console/key?id=none"] {
        let response = house.get(path, &cookie).await;
        let headers = response.headers();
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'; style-src 'self'; script-src 'self'; "),
            "{policy}"
        );
        assert_eq!(headers[header::CACHE_CONTROL], "no-store", "{path}");
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        let page = text(response).await;
        assert!(!page.contains(" style=") && !page.contains("onclick"), "{path}");
        assert!(!page.contains(&house.admin), "{path}");
    }
    let page = text(house.get("/console/keys", &cookie).await).await;
    let (_, rest) = page.split_once(r#"<link rel="stylesheet" href=""#).unwrap();
    let style = house.get(rest.split('"').next().unwrap(), "").await;
    assert_eq!(style.headers()[header::CACHE_CONTROL], "public, max-age=31536000, immutable");
    assert_eq!(house.get("/console/assets/console.css", "").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn without_a_session_every_page_leads_to_the_sign_in() {
    let house = House::new(false).await;
    let wrong = format!("__Host-api-key-console={}", "0".repeat(64));
    let no_session = "__Host-api-key-console=a b\"c";
    for cookie in ["", &wrong, no_session, &format!("__Host-api-key-console={}", house.admin)] {
        for page in
            ["", "/", "/keys", "/key?id=key_admin", "/new-key", "/trail", "/accounts", "/unknown"]
        {
            let response = house.get(&format!("/console{page}"), cookie).await;
            assert!(leads_to_sign_in(&response), "{page}: {response:?}");
        }
        assert!(leads_to_sign_in(&house.post("/console/revoke-key", cookie, "id=key_admin").await));
    }
    // A key is no session, wherever it is sent.
    let request = Request::get("/console/keys")
        .header(header::AUTHORIZATION, format!("Bearer {}", house.admin));
    let response = house.send(request.body(Body::empty()).unwrap(), "192.0.2.1:443").await;
    assert!(leads_to_sign_in(&response));
}

#[tokio::test]
async fn a_session_ends_with_its_key_its_time_and_its_sign_out() {
    let house = House::new(false).await;
    let other = add(&*house.store, "key_other", "staff", |key| key).await;
    let cookie = house.session(&other).await;
    let kept = house.session(&house.admin).await;
    assert_eq!(house.get("/console/keys", &cookie).await.status(), StatusCode::OK);
    house.store.revoke("key_other", "test").await.unwrap();
    assert!(leads_to_sign_in(&house.get("/console/keys", &cookie).await));
    assert_eq!(house.get("/console/keys", &kept).await.status(), StatusCode::OK);

    let token = house.form_token(&kept).await;
    assert!(leads_to_sign_in(
        &house.post("/console/sign-out", &kept, &format!("form_token={token}")).await
    ));
    assert!(leads_to_sign_in(&house.get("/console/keys", &kept).await));

    // Another sign-in of the same browser ends the session that it had, and a sign-in that fails does not.
    let earlier = house.session(&house.admin).await;
    for (key, ends) in [("wrong", false), (house.admin.as_str(), true)] {
        house.post("/console/sign-in", &earlier, &format!("key={key}")).await;
        assert_eq!(leads_to_sign_in(&house.get("/console/keys", &earlier).await), ends, "{key}");
    }

    let idle = house.session(&house.admin).await;
    house.clock.advance(Duration::from_secs(30 * 60));
    assert!(leads_to_sign_in(&house.get("/console/keys", &idle).await));

    let rotated = house.session(&house.admin).await;
    let secret = KeyHasher::sha256().digest(b"another");
    house.store.rotate("key_admin", secret, Timestamp::default(), "test").await.unwrap();
    assert!(leads_to_sign_in(&house.get("/console/keys", &rotated).await));
}

#[tokio::test]
async fn the_rights_of_a_session_are_those_of_its_key_at_this_moment() {
    let house = House::new(false).await;
    let reader = add(&*house.store, "key_reader", "staff", |key| key.scopes(["keys.read"])).await;
    let cookie = house.session(&reader).await;
    let token = house.form_token(&cookie).await;
    let revoke = format!("form_token={token}&id=key_admin&reason=x&version={}", "1".repeat(32));
    let refused = house.post("/console/revoke-key", &cookie, &revoke).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert_eq!(house.get("/console/trail", &cookie).await.status(), StatusCode::FORBIDDEN);
    house
        .store
        .update("key_reader", Box::new(|key| key.scopes(["trail.read"])), "test")
        .await
        .unwrap();
    assert_eq!(house.get("/console/keys", &cookie).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(house.get("/console/trail", &cookie).await.status(), StatusCode::OK);
    house
        .store
        .update("key_reader", Box::new(|key| key.networks(["198.51.100.0/24"])), "test")
        .await
        .unwrap();
    assert_eq!(house.get("/console/trail", &cookie).await.status(), StatusCode::FORBIDDEN);
    // A key of a customer opens no session, because this management admits operators only.
    let customer = add(&*house.store, "key_customer", "acme", |key| key).await;
    assert_eq!(house.sign_in(&customer).await.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_form_of_another_origin_or_session_changes_nothing() {
    let house = House::new(false).await;
    let (cookie, other) = (house.session(&house.admin).await, house.session(&house.admin).await);
    let token = house.form_token(&cookie).await;
    let body = |token: &str| {
        format!("form_token={token}&account=acme&once=abc&scopes_from=account&environment=live")
    };
    for token in ["", "0", &house.form_token(&other).await] {
        let response = house.post("/console/new-key", &cookie, &body(token)).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
    }
    for (name, value) in [
        ("sec-fetch-site", Some("cross-site")),
        ("sec-fetch-site", Some("same-site")),
        ("origin", Some("https://evil.example")),
    ] {
        let mut request = form("/console/new-key", &body(&token));
        request.headers_mut().insert(header::COOKIE, cookie.parse().unwrap());
        request.headers_mut().remove("sec-fetch-site");
        request
            .headers_mut()
            .insert(http::HeaderName::from_static(name), value.unwrap().parse().unwrap());
        let response = house.send(request, "192.0.2.1:443").await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{name}");
    }
    let mut request = form("/console/sign-in", &format!("key={}", house.admin));
    request.headers_mut().insert("sec-fetch-site", "cross-site".parse().unwrap());
    assert_eq!(house.send(request, "192.0.2.1:443").await.status(), StatusCode::FORBIDDEN);
    let all = house.store.list(&KeyFilter::default(), None, 10).await.unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(
        house.post("/console/new-key", &cookie, &body(&token)).await.status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_form_that_is_sent_twice_makes_one_key_and_shows_its_secret_once() {
    let house = House::new(false).await;
    let cookie = house.session(&house.admin).await;
    let token = house.form_token(&cookie).await;
    let body =
        format!("form_token={token}&account=acme&once=abc&scopes_from=account&environment=live");
    let first = text(house.post("/console/new-key", &cookie, &body).await).await;
    assert!(first.contains("id=\"secret\">acme_live_"));
    let second = text(house.post("/console/new-key", &cookie, &body).await).await;
    assert!(second.contains("This was done before") && !second.contains("acme_live_"));
    let changed = house.post("/console/new-key", &cookie, &format!("{body}&name=other")).await;
    assert_eq!(changed.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let of_acme = KeyFilter::account("acme");
    assert_eq!(house.store.list(&of_acme, None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn failed_sign_ins_are_limited_by_network() {
    let house = House::new(false).await;
    let unknown = Issuer::new(FORMAT, KeyHasher::sha256()).issue(Some("live")).unwrap();
    for _ in 0..10 {
        assert_eq!(house.sign_in(unknown.expose()).await.status(), StatusCode::UNAUTHORIZED);
    }
    let limited = house.sign_in(&house.admin).await;
    assert_eq!(limited.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(limited.headers().contains_key(header::RETRY_AFTER));
    let request = form("/console/sign-in", &format!("key={}", house.admin));
    assert_eq!(house.send(request, "192.0.2.2:443").await.status(), StatusCode::SEE_OTHER);
    for nonsense in ["", "a", "a%0D%0Ab", "%FF", &"a".repeat(5_000)] {
        let request = form("/console/sign-in", &format!("key={nonsense}"));
        let status = house.send(request, "192.0.2.3:443").await.status();
        assert!(status.is_client_error(), "{nonsense:.10}: {status}");
    }
}

#[tokio::test]
async fn plain_http_is_refused_unless_it_is_asked_for_by_its_name() {
    let house = House::new(false).await;
    let page = house
        .send(Request::get("/console/sign-in").body(Body::empty()).unwrap(), "127.0.0.1:80")
        .await;
    assert_eq!(page.status(), StatusCode::BAD_REQUEST);
    let request = form("/console/sign-in", &format!("key={}", house.admin));
    let refused = house.send(request, "127.0.0.1:80").await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    assert!(text(refused).await.contains("HTTPS is required"));

    let house = House::new(true).await;
    let request = form("/console/sign-in", &format!("key={}", house.admin));
    let admitted = house.send(request, "127.0.0.1:80").await;
    let cookie = admitted.headers()[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("insecure-") && !cookie.contains("Secure"), "{cookie}");
}

#[tokio::test]
async fn bad_input_is_a_clear_answer_and_changes_nothing() {
    let house = House::new(false).await;
    let cookie = house.session(&house.admin).await;
    let token = house.form_token(&cookie).await;
    let account = Account::builder("acme").disabled(true).build().unwrap();
    house.store.save_account(account, "test").await.unwrap();
    let before = house.store.changes(0, 100).await.unwrap().len();
    for (path, body, status) in [
        ("new-key", "account=&once=a", 422),
        ("new-key", "account=acme&once=", 422),
        ("new-key", "account=none&once=b&environment=live", 422),
        ("new-key", "account=acme&once=c&environment=mars", 422),
        ("new-key", "account=acme&once=d&environment=live&expires=2027-02-30", 422),
        ("new-key", "account=acme&once=e&environment=live&networks=nowhere", 422),
        // No store keeps it, so the key would never expire.
        ("new-key", "account=acme&once=g&environment=live&expires=9999-12-31", 422),
        ("new-key", "account=acme&once=h&environment=live&expires=2262-12-31", 422),
        ("new-key", "account=acme&once=f&environment=live&name=a%0Ab%00", 422),
        ("edit-key", "id=none&version=0", 404),
        ("edit-key", "id=key_admin&version=zero", 428),
        ("rotate-key", "id=key_admin&version=00000000000000000000000000000001&overlap=5", 422),
        ("rotate-key", "id=key_admin&version=00000000000000000000000000000001&overlap=24", 412),
        ("revoke-key", "id=key_admin&version=00000000000000000000000000000001&reason=", 422),
        ("revoke-key", "id=key_admin&version=00000000000000000000000000000001&reason=x", 412),
        ("delete-key", "id=none&version=00000000000000000000000000000001&reason=x", 404),
        ("whose-key", "secret=unknown", 404),
    ] {
        let response = house
            .post(&format!("/console/{path}"), &cookie, &format!("form_token={token}&{body}"))
            .await;
        assert_eq!(response.status().as_u16(), status, "{path} {body}");
    }
    for page in [
        "keys?state=lost",
        "keys?tail=abc",
        "keys?tail=the_whole_secret",
        "keys?name=a&after=b",
        "expiring?days=0",
        "expiring?days=x",
        "expiring?after=x",
        "key?id=",
        "account?id=none",
        "trail?after=x",
        "trail?after=-1",
        "policies?after=%00",
    ] {
        let response = house.get(&format!("/console/{page}"), &cookie).await;
        assert!(response.status().is_client_error(), "{page}: {}", response.status());
    }
    assert_eq!(house.store.changes(0, 100).await.unwrap().len(), before);
}

#[tokio::test]
async fn old_cookies_lock_no_one_out() {
    let house = House::new(false).await;
    let cookie = house.session(&house.admin).await;
    let old = format!("__Host-api-key-console={}", "0".repeat(64));
    for _ in 0..100 {
        assert!(leads_to_sign_in(&house.get("/console/keys", &old).await));
    }
    assert_eq!(house.get("/console/keys", &cookie).await.status(), StatusCode::OK);
    assert_eq!(house.sign_in(&house.admin).await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn an_account_is_added_once_and_edited_by_one_at_a_time() {
    let house = House::new(false).await;
    let cookie = house.session(&house.admin).await;
    let token = house.form_token(&cookie).await;
    let send = async |page: &str, body: &str| {
        let body = format!("form_token={token}&{body}");
        house.post(&format!("/console/{page}"), &cookie, &body).await.status().as_u16()
    };
    assert_eq!(send("new-account", "id=new&scopes=keys.read").await, 303);
    assert_eq!(send("new-account", "id=new&scopes=").await, 409);
    assert_eq!(send("new-account", "id=&scopes=").await, 422);
    let seen = house.store.find_account("new").await.unwrap().unwrap();
    assert!(seen.scopes().contains("keys.read"));
    let version = tower_api_key::store::Version::of_account(&seen);
    let disable = format!("id=new&scopes=keys.read&disabled=true&version={version}");
    assert_eq!(send("edit-account", &disable).await, 303);
    assert_eq!(send("edit-account", &disable.replace("&disabled=true", "")).await, 412);
    assert_eq!(send("edit-account", "id=none&version=1").await, 428);
    assert!(house.store.find_account("new").await.unwrap().unwrap().is_disabled());
}

#[tokio::test]
async fn the_page_of_a_key_shows_little_of_digests() {
    let house = House::new(false).await;
    let reader = add(&*house.store, "reader", "staff", |key| key.scopes(["keys.read"])).await;
    let cookie = house.session(&reader).await;
    let page = text(house.get("/console/key?id=reader", &cookie).await).await;
    let digest = KeyHasher::sha256().digest(reader.as_bytes()).to_hex();
    assert!(page.contains(&digest[..8]) && !page.contains(&digest[..9]));
}
