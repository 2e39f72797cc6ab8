//! What the page of a key shows of its usage.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Request, header};
use tower::ServiceExt;
use tower_api_key::decision::RequestDecision;
use tower_api_key::rules::{Route, Routes};
use tower_api_key::store::MemoryStore;
use tower_api_key::usage::{
    KeyUsage, LastUse, TopKeysQuery, UsageCount, UsageFuture, UsageHour, UsageQuery, UsageReader,
    UsageRecorder,
};
use tower_api_key::{ApiKeyLayer, Profile};
use tower_api_key_sqlx::SqlStore;

use crate::doors::{House, text};
use crate::server::{FORMAT, add};

#[tokio::test]
async fn requests_that_a_gate_counts_are_shown_by_decision_and_route() {
    let store = SqlStore::connect("sqlite::memory:").await.unwrap();
    let reader = store.clone();
    let house = House::over(Arc::new(store.clone()), false, |all| all.usage(reader)).await;
    let key = add(&store, "key_1", "bakery", |key| key.scopes(["inquiry.read"])).await;
    let support = add(&store, "key_2", "staff", |key| key.scopes(["keys.read"])).await;

    let recorder = UsageRecorder::builder().clock(Arc::clone(&house.clock)).build();
    tokio::spawn(recorder.write_to(Arc::new(store.clone())));
    let formats = [FORMAT];
    let routes = Routes::new()
        .get("/inquiries/{id}", Route::new())
        .get("/cases", Route::new().all_of(&["case.read"]));
    let gate = ApiKeyLayer::builder(Profile { formats: &formats, ..Profile::STANDARD }, store)
        .routes(routes)
        .clock(Arc::clone(&house.clock))
        .assume_https()
        .observer(recorder.clone())
        .build()
        .unwrap();
    let app = Router::new()
        .route("/inquiries/{id}", get(|| async { "an inquiry" }))
        .route("/cases", get(|| async { "all cases" }))
        .layer(gate);
    house.clock.advance(Duration::from_secs(60));
    for path in ["/inquiries/1", "/inquiries/2", "/inquiries/3", "/cases"] {
        let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {key}"));
        let answer = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let body = text(answer).await;
        assert_eq!(body.starts_with("an inquiry"), path != "/cases", "{body}");
    }
    recorder.stop().await.unwrap();

    let cookie = house.session(&house.admin).await;
    let page = text(house.get("/console/key?id=key_1", &cookie).await).await;
    for shown in [
        "<title id=\"chart-title\">4 requests from ",
        ": 3 admitted</title>",
        ": 1 refused</title>",
        "<td class=\"text code\">/inquiries/{id}</td><td>admitted</td><td>3</td>",
        "<td class=\"text code\">/cases</td><td>refused</td><td>1</td>",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let page = text(house.get("/console/key?id=key_2", &cookie).await).await;
    assert!(page.contains("No requests from "), "{page}");
    // The month of an account, on its page and as a file.
    let page = text(house.get("/console/account?id=bakery", &cookie).await).await;
    for shown in ["4 requests from ", "account-usage?id=bakery", "The usage of 2027-01 as"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let file = house.get("/console/account-usage?id=bakery", &cookie).await;
    assert_eq!(file.headers()[header::CONTENT_TYPE], "text/csv; charset=utf-8");
    assert_eq!(
        file.headers()[header::CONTENT_DISPOSITION],
        "attachment; filename=\"usage-2027-01.csv\""
    );
    assert_eq!(
        text(file).await,
        "start,route,decision,requests\n\
         2027-01-15T00:00:00Z,/cases,refused,1\n\
         2027-01-15T00:00:00Z,/inquiries/{id},admitted,3\n"
    );
    assert_eq!(house.get("/console/account-usage?id=unknown", &cookie).await.status(), 404);
    let cookie = house.session(&support).await;
    assert_eq!(house.get("/console/account-usage?id=bakery", &cookie).await.status(), 403);
    let page = text(house.get("/console/key?id=key_1", &cookie).await).await;
    assert!(page.contains("Your key may not read usage.") && !page.contains("chart"), "{page}");
}

/// The routes that each day has requests of.
const ROUTES: usize = 800;

/// Has one request a day on each of many routes.
struct ManyRoutes;

impl UsageReader for ManyRoutes {
    fn usage<'a>(&'a self, query: &'a UsageQuery) -> UsageFuture<'a, Vec<UsageCount>> {
        let days = query.since.number() / 24..query.until.number().div_ceil(24);
        let count = |day: u64, route: usize| {
            let start = UsageHour::from_number(day * 24).start();
            let route = Some(format!("/routes/{route}"));
            UsageCount::new(Some(start), route, Some(RequestDecision::Admitted), 1)
        };
        let counts = days.flat_map(|day| (0..ROUTES).map(move |route| count(day, route)));
        let counts = counts.take(query.limit).collect();
        Box::pin(std::future::ready(Ok(counts)))
    }

    fn top_keys<'a>(&'a self, _: &'a TopKeysQuery) -> UsageFuture<'a, Vec<KeyUsage>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    fn last_use<'a>(&'a self, _: &'a str) -> UsageFuture<'a, Option<LastUse>> {
        Box::pin(std::future::ready(Ok(None)))
    }
}

/// One answer of the operations has at most 10,000 rows.
#[tokio::test]
async fn the_file_of_a_month_has_every_row_however_many_routes_there_are() {
    let store = Arc::new(MemoryStore::new());
    let house = House::over(store, false, |all| all.usage(ManyRoutes)).await;
    let cookie = house.session(&house.admin).await;
    let file = house.get("/console/account-usage?id=acme", &cookie).await;
    assert_eq!(file.status(), 200);
    let file = text(file).await;
    // It is the 15th of January.
    assert_eq!(file.lines().count(), 1 + 15 * ROUTES);
    assert!(file.contains("2027-01-01T00:00:00Z,/routes/0,admitted,1\n"));
    assert!(file.ends_with("2027-01-15T00:00:00Z,/routes/799,admitted,1\n"), "{file:.200}");
}
