//! How the limits stand, told with a refusal for another reason.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Method;
use tower_api_key::limits::{Charge, ChargeMode, Limiter, LimiterError};
use tower_api_key::profile::LimitHeaders;
use tower_api_key::quota::{OnLimiterFailure, Quota, Verdict};
use tower_api_key::rules::{Route, Routes};
use tower_api_key::{ApiKeyLayer, Profile, Reply};

use crate::support::{PROFILE, greeting, request, send, store};

const TEN: Quota = Quota::new("ten", 10, Duration::from_secs(60));
const SPEAKS: Profile = Profile { limit_headers: LimitHeaders::X_RATE_LIMIT, ..PROFILE };

/// A refusal for another reason looks at the limits, and asks for nothing.
#[tokio::test]
async fn a_refused_request_asks_how_its_account_stands_at_no_cost() {
    struct Asked(Arc<Mutex<Vec<(u32, ChargeMode)>>>);
    impl Limiter for Asked {
        fn charge(&self, charge: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
            self.0.lock().unwrap().push((charge.cost, charge.mode));
            Reply::now(Ok(Verdict::passed()))
        }
    }
    let asked = Arc::default();
    let routes = Routes::new().on(&[], "/", Route::new().cost(3).all_of(&["write"]));
    let layer = ApiKeyLayer::builder(SPEAKS, store(|key| key.quotas(vec![TEN])))
        .routes(routes)
        .limits(Asked(Arc::clone(&asked)), OnLimiterFailure::Deny)
        .build()
        .unwrap();
    let response = send(&greeting(&layer), request(Method::GET, "/")).await;
    assert_eq!(response.status(), 403);
    assert_eq!(*asked.lock().unwrap(), [(0, ChargeMode::Peek)]);
}
