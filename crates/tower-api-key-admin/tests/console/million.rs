//! How long pages take among a million keys. It takes minutes, so it is run by hand:
//! `cargo test --release -p tower-api-key-admin --all-features --test console million -- --ignored --nocapture`

use std::time::{Duration, Instant};
use std::{env, fs, process};

use axum::body::{Body, to_bytes};
use http::{Request, header};
use tower::ServiceExt;
use tower_api_key::key::{Account, KeyDigest, KeyRecord};
use tower_api_key::request::Connection;
use tower_api_key::store::{KeyManager, NewKey};
use tower_api_key_sqlx::SqlStore;

use crate::server::{after, builder, fill};

const KEYS: u32 = 1_000_000;

/// The longest time for a page, also on a busy machine. A state that few keys have is searched for among all.
const LONGEST: Duration = Duration::from_secs(5);

/// How often each page is read. The shortest time counts, because other programs may keep the machine busy.
const TRIES: u32 = 5;

#[tokio::test]
#[ignore = "takes minutes"]
async fn pages_are_quick_among_a_million_keys() {
    let folder = env::temp_dir().join(format!("tower-api-key-million-{}", process::id()));
    fs::create_dir_all(&folder).unwrap();
    let url = format!("sqlite:{}", folder.join("keys.db").display());
    let store = SqlStore::builder(&url).create_if_missing(true).connect().await.unwrap();
    let admin = fill(&store).await;
    for first in (0..KEYS).step_by(10_000) {
        let keys = (first..first + 10_000).map(|number| {
            let account = Account::builder(format!("account_{:05}", number / 100)).build().unwrap();
            let record = KeyRecord::builder(format!("key_{number:07}"), account)
                .name(format!("Worker {number:07}"))
                .owner(format!("user_{}", number % 1_000));
            let record = if number % 10 == 0 {
                record.expires(after(u64::from(number % 900) + 1))
            } else {
                record
            };
            let mut digest = [7; 32];
            digest[..4].copy_from_slice(&number.to_be_bytes());
            NewKey::new(KeyDigest::from_bytes(digest), record.build().unwrap())
        });
        store.import(keys.collect(), "test").await.unwrap();
    }
    let app: axum::Router = builder(&store).insecure_http().build().unwrap().router();
    let send = async |request: Request<Body>| {
        let mut request = request;
        request.extensions_mut().insert(Connection::plain("127.0.0.1:1".parse().unwrap()));
        app.clone().oneshot(request).await.unwrap()
    };
    let sign_in = Request::post("/console/sign-in")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
        .body(Body::from(format!("key={admin}")));
    let signed_in = send(sign_in.unwrap()).await;
    let cookie = signed_in.headers()[header::SET_COOKIE].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    for page in [
        "keys",
        "keys?after=key_0500000",
        "keys?after=key_0999000",
        "keys?name=Worker+07",
        "keys?account=account_05000",
        "keys?owner=user_7",
        "keys?state=expired",
        "keys?state=revoked",
        "expiring",
        "expiring?days=365",
        "key?id=key_0700000",
        "accounts",
        "accounts?after=account_05000",
        "trail",
    ] {
        let mut took = Duration::MAX;
        for _ in 0..TRIES {
            let request = Request::get(format!("/console/{page}")).header(header::COOKIE, &cookie);
            let start = Instant::now();
            let response = send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(response.status(), 200, "{page}");
            to_bytes(response.into_body(), 1 << 24).await.unwrap();
            took = took.min(start.elapsed());
        }
        println!("{page}: {took:.1?}");
        assert!(took < LONGEST, "{page}: {took:?}");
    }
    let _ = fs::remove_dir_all(&folder);
}
