//! What pages show of quotas, and how used-up quota is given back.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Request, StatusCode, header};
use tower::ServiceExt;
use tower_api_key::key::Account;
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::rules::{Route, Routes};
use tower_api_key::store::{KeyManager, MemoryStore};
use tower_api_key::{ApiKeyLayer, Profile};

use crate::doors::{House, text};
use crate::server::{FORMAT, add};

/// Puts an account with two requests a minute and 100 in 5 hours into a store, and returns the text of its key.
async fn limited(store: &dyn KeyManager) -> String {
    let quota = Quota::new("minute", 2, Duration::from_secs(60));
    let shift = Quota::new("shift", 100, Duration::from_secs(5 * 3_600));
    let account = Account::builder("bakery").quotas([quota, shift]).build().unwrap();
    store.save_account(account, "test").await.unwrap();
    add(store, "key_1", "bakery", |key| key).await
}

#[tokio::test]
async fn a_limited_key_shows_its_counter_and_gets_quota_back_once() {
    let store = MemoryStore::new();
    let limiter = Arc::new(MemoryLimiter::new());
    let counters = Arc::clone(&limiter);
    let house = House::over(Arc::new(store.clone()), false, |all| all.limiter(counters, [])).await;
    let key = limited(&*house.store).await;
    let formats = [FORMAT];
    let gate = ApiKeyLayer::builder(Profile { formats: &formats, ..Profile::STANDARD }, store)
        .routes(Routes::new().get("/", Route::new()))
        .limits(limiter, OnLimiterFailure::Deny)
        .clock(Arc::clone(&house.clock))
        .assume_https()
        .build()
        .unwrap();
    let app = Router::new().route("/", get(|| async { "bread" })).layer(gate);
    let ask = async || {
        let request = Request::get("/").header(header::AUTHORIZATION, format!("Bearer {key}"));
        app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status().as_u16()
    };
    assert_eq!((ask().await, ask().await, ask().await), (200, 200, 429));

    let cookie = house.session(&house.admin).await;
    let page = text(house.get("/console/key?id=key_1", &cookie).await).await;
    for shown in [
        "2 of 2 used · minute=2/60s",
        "there again in 1 minute",
        "give-back?id=key_1&amp;quota=minute",
    ] {
        assert!(
            page.contains(&shown.replace("&amp;", "&#38;")) || page.contains(shown),
            "{shown}: {page}"
        );
    }
    let page = text(house.get("/console/give-back?id=key_1&quota=minute", &cookie).await).await;
    assert!(page.contains("Give back the quota minute"), "{page}");

    let token = house.form_token(&cookie).await;
    let form = format!("form_token={token}&id=key_1&quota=minute&once=abc&reason=");
    let refused = house.post("/console/give-back", &cookie, &form).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(ask().await, 429, "a refused form gave quota back");
    let form = format!("{form}ticket+4711");
    let given = house.post("/console/give-back", &cookie, &form).await;
    assert_eq!(given.status(), StatusCode::SEE_OTHER);
    assert_eq!((ask().await, ask().await), (200, 200));
    // The browser sends the form again.
    assert_eq!(house.post("/console/give-back", &cookie, &form).await.status(), 303);
    assert_eq!(ask().await, 429, "a form that was sent twice gave quota back twice");
    let page = text(house.get("/console/key?id=key_1&done=given", &cookie).await).await;
    assert!(page.contains("The quota was given back.") && page.contains("ticket 4711"), "{page}");

    // Who may only read sees the counter and no way to change it.
    let reader =
        |key: tower_api_key::key::KeyRecordBuilder| key.scopes(["keys.read", "usage.read"]);
    let reader = add(&*house.store, "key_reader", "staff", reader).await;
    let cookie = house.session(&reader).await;
    let page = text(house.get("/console/key?id=key_1", &cookie).await).await;
    assert!(page.contains("2 of 2 used") && !page.contains("give-back"), "{page}");
    assert!(page.contains("all of it is there again in 5 hours<"), "{page}");
    // 4 hours, 58 minutes and 9 seconds are left.
    house.clock.advance(Duration::from_secs(111));
    let page = text(house.get("/console/key?id=key_1", &cookie).await).await;
    assert!(page.contains("all of it is there again in 4 hours 59 minutes<"), "{page}");
}

#[tokio::test]
async fn quotas_are_shown_also_where_no_counter_can_be_read() {
    let house = House::new(false).await;
    limited(&*house.store).await;
    let cookie = house.session(&house.admin).await;
    for path in ["/console/account?id=bakery", "/console/key?id=key_1"] {
        let page = text(house.get(path, &cookie).await).await;
        assert!(
            page.contains("does not offer counters") && page.contains("<li>minute=2/60s</li>"),
            "{page}"
        );
    }
}

#[tokio::test]
async fn a_page_links_only_to_what_the_visitors_key_may_do() {
    let house = House::new(false).await;
    limited(&*house.store).await;
    let name = |key: tower_api_key::key::KeyRecordBuilder| key.name("Night desk");
    let reader = add(&*house.store, "key_r", "staff", |key| name(key).scopes(["keys.read"])).await;
    let cookie = house.session(&reader).await;
    let all = [
        "/console/accounts",
        "/console/policies",
        "/console/trail",
        "/console/account?",
        "/console/new-key",
        "/console/edit-key",
        "/console/rotate-key",
        "/console/revoke-key",
    ];
    for path in ["/console/keys", "/console/key?id=key_1"] {
        let page = text(house.get(path, &cookie).await).await;
        for link in all {
            assert!(!page.contains(link), "{path} links to {link}");
        }
        assert!(page.contains("staff · Night desk"), "{page}");
    }
    let cookie = house.session(&house.admin).await;
    let list = text(house.get("/console/keys", &cookie).await).await;
    let key = text(house.get("/console/key?id=key_1", &cookie).await).await;
    for link in all {
        assert!(list.contains(link) || key.contains(link), "no page links to {link}");
    }
}
