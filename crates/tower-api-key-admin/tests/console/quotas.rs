//! What pages show of quotas, and how used-up quota is given back.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Request, StatusCode, header};
use tower::ServiceExt;
use tower_api_key::key::Account;
use tower_api_key::limits::{MemoryLimiter, Plans};
use tower_api_key::quota::{OnLimiterFailure, Per, Quota};
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

/// Returns the fields of a form with a quota, as a page shows them.
fn rows(page: &str) -> Vec<(String, String)> {
    let decode = |text: &str| text.split('"').next().unwrap().to_owned();
    let mut fields = Vec::new();
    for field in page.split(r#" name="quota"#).skip(1) {
        let (name, rest) = field.split_once('"').unwrap();
        let field = rest.split("</div>").next().unwrap();
        let value = match field.split_once("<option") {
            Some(_) => field.split("<option").find(|option| option.contains(" selected")),
            None => Some(field),
        };
        let value = value.and_then(|option| option.split_once(r#"value=""#));
        let value = value.map(|(_, value)| decode(value)).unwrap_or_default();
        if name != "s_from" {
            fields.push((format!("quota{name}"), value));
        }
    }
    fields
}

#[tokio::test]
async fn one_limit_of_a_plan_is_raised_without_writing_the_others_again() {
    let plans = Plans::new();
    let gold = [
        Quota::new("minute", 100, Duration::from_secs(60)).with_per(Per::Key),
        Quota::by_month("month", 10_000).with_failure_choice(OnLimiterFailure::Deny),
    ];
    plans.set("gold", gold.clone()).unwrap();
    let house = House::over(Arc::new(MemoryStore::new()), false, |all| all.plans(plans)).await;
    let cookie = house.session(&house.admin).await;
    let token = house.form_token(&cookie).await;
    let page = text(house.get("/console/edit-account?id=acme", &cookie).await).await;
    let shown = rows(&page);
    let names = shown.iter().filter(|(name, _)| name == "quota_name");
    let names: Vec<_> = names.map(|(_, value)| value.as_str()).collect();
    assert_eq!(names, ["minute", "month", "", ""], "{page}");
    let send = async |from: &str, raised: &str| {
        let page = text(house.get("/console/edit-account?id=acme", &cookie).await).await;
        let (_, version) = page.split_once(r#"name="version" value=""#).unwrap();
        let version = version.split('"').next().unwrap();
        let rows = rows(&page).into_iter().map(|(name, value)| {
            let value = if value == "10000" { raised } else { &value };
            format!("&{name}={}", value.replace(' ', "+"))
        });
        let rows: String = rows.collect();
        let body = format!(
            "form_token={token}&id=acme&plan=gold&scopes=inquiry.read&version={version}&quotas_from={from}{rows}"
        );
        let status = house.post("/console/edit-account", &cookie, &body).await.status();
        let account = house.store.find_account("acme").await.unwrap().unwrap();
        (status.as_u16(), account.quotas().map(|quotas| quotas.as_slice().to_vec()))
    };
    // The plan stays the plan as long as nobody chooses other quotas, and a change beside that choice is refused.
    assert_eq!(send("plan", "10000").await, (303, None));
    assert_eq!(send("plan", "20000").await, (422, None));
    let [minute, _] = gold;
    let month = Quota::by_month("month", 20_000).with_failure_choice(OnLimiterFailure::Deny);
    assert_eq!(send("account", "20000").await, (303, Some(vec![minute, month])));
}
