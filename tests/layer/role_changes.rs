//! Roles that change while requests are decided: each decision reads one version of the roles.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use http::{Method, Request, Response};
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{Account, KeyRecord};
use tower_api_key::rules::{Otherwise, Roles, Route, Routes};
use tower_api_key::{ApiKeyLayer, Grant};

use crate::support::{PROFILE, greeting, request, send, store, tls};

const ROUNDS: usize = 2_000;

/// Sets a role to `a` and to `b` in turn while `check` runs. No version of the role has both scopes, and each
/// has one of them.
fn while_a_role_changes(check: impl FnOnce(&ApiKeyLayer)) {
    let roles = Roles::new();
    roles.set("r", ["a"]).unwrap();
    let routes = Routes::new()
        .get("/all", Route::new().all_of(&["a", "b"]))
        .get("/any", Route::new().any_of(&["a", "b"]))
        .get("/pair", Route::new().any_of_sets(&[&["a", "b"], &["none"]]))
        .get("/sets", Route::new().any_of_sets(&[&["a"], &["b"]]))
        .get("/both", Route::new().all_of(&["a"]).any_of_sets(&[&["none"], &["b"]]))
        .otherwise(Otherwise::Need(Route::new()));
    let layer = ApiKeyLayer::builder(PROFILE, store(|key| key.scopes(["r"]))).routes(routes);
    let layer = layer.roles(roles.clone()).build().unwrap();
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                roles.set("r", ["b"]).unwrap();
                roles.set("r", ["a"]).unwrap();
            }
        });
        // Ends the other thread if the check panics, too.
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&layer)));
        ended.store(true, Ordering::Relaxed);
        if let Err(panic) = checked {
            std::panic::resume_unwind(panic);
        }
    });
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[test]
fn a_request_is_decided_by_one_version_of_a_role() {
    while_a_role_changes(|layer| {
        let service = greeting(layer);
        wait(async {
            for _ in 0..ROUNDS {
                for (path, expected) in
                    [("/all", 403), ("/any", 200), ("/pair", 403), ("/sets", 200), ("/both", 403)]
                {
                    let response = send(&service, request(Method::GET, path)).await;
                    assert_eq!(response.status(), expected, "{path}");
                }
            }
        });
    });
}

#[test]
fn an_explanation_shows_one_version_of_a_role() {
    let acme = Account::builder("acme").scopes(["r"]).build().unwrap();
    let record = KeyRecord::builder("key_1", acme).build().unwrap();
    while_a_role_changes(|layer| {
        for _ in 0..ROUNDS {
            for (path, passes) in [("/all", false), ("/any", true), ("/sets", true)] {
                let request = request(Method::GET, path);
                let explanation =
                    layer.explain(&request, tls(), Some(&record), Timestamp::default());
                assert_eq!(explanation.decision().is_ok(), passes, "{path}");
                let held = explanation.scopes().iter().filter(|scope| scope.is_held()).count();
                assert_eq!(held, 1, "{explanation}");
            }
        }
    });
}

#[test]
fn a_handler_asks_one_version_of_a_role() {
    while_a_role_changes(|layer| {
        let service = layer.layer(service_fn(|request: Request<()>| async move {
            let grant = request.extensions().get::<Grant>().unwrap();
            for _ in 0..ROUNDS {
                assert!(grant.require_any(&["a", "b"]).is_ok());
            }
            Ok::<_, Infallible>(Response::new(String::new()))
        }));
        let response = wait(service.oneshot(request(Method::GET, "/"))).unwrap();
        assert_eq!(response.status(), 200);
    });
}
