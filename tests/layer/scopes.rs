//! Scopes as teams write them: wildcards, prefixes, hierarchies, roles, and sets on routes.

use std::convert::Infallible;

use http::{Method, Request, Response};
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::clock::Timestamp;
use tower_api_key::decision::Check;
use tower_api_key::key::{Account, KeyRecord};
use tower_api_key::rules::{Otherwise, Roles, Route, Routes, ScopeNeed, ScopeRules};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, ConfigError, Denial, Grant, InvalidRoute};

use crate::support::{PROFILE, greeting, request, send, store, tls};

const SCOPES: ScopeRules = ScopeRules::new()
    .wildcards()
    .hierarchy(&[("admin", &["users.*", "audit"]), ("audit", &["logs.read"])]);

fn routes() -> Routes {
    Routes::new()
        .get("/users", Route::new().all_of(&["users.read"]))
        .get("/logs", Route::new().any_of(&["logs.read", "logs.all"]))
        .post("/exports", Route::new().any_of_sets(&[&["users.read", "logs.read"], &["full"]]))
        .otherwise(Otherwise::Need(Route::new()))
}

fn roles() -> Roles {
    let roles = Roles::new();
    roles.set("role:support", ["users.read", "audit"]).unwrap();
    roles
}

async fn status(layer: &ApiKeyLayer, method: &Method, path: &str) -> u16 {
    send(&greeting(layer), request(method.clone(), path)).await.status().as_u16()
}

#[tokio::test]
async fn a_gate_reads_scopes_as_it_was_told() {
    const USERS: (Method, &str) = (Method::GET, "/users");
    const LOGS: (Method, &str) = (Method::GET, "/logs");
    const EXPORTS: (Method, &str) = (Method::POST, "/exports");
    type Choose = fn(ApiKeyLayerBuilder) -> ApiKeyLayerBuilder;
    let plain: Choose = |builder| builder;
    let ruled: Choose = |builder| builder.scopes(SCOPES);
    let named: Choose = |builder| builder.roles(roles());
    let both: Choose = |builder| builder.scopes(SCOPES).roles(roles());
    for (choose, held, (method, path), expected) in [
        // Without a choice, every name is a plain one.
        (plain, &["users.*"][..], USERS, 403),
        (plain, &["*"], USERS, 403),
        (plain, &["admin"], USERS, 403),
        (plain, &["role:support"], USERS, 403),
        (plain, &["users.read", "users.*", "new.name"], USERS, 200),
        (ruled, &["users.*"], USERS, 200),
        (ruled, &["*"], EXPORTS, 200),
        (ruled, &["admin"], USERS, 200),
        (ruled, &["admin"], LOGS, 200),
        (ruled, &["admin"], EXPORTS, 200),
        (ruled, &["audit"], USERS, 403),
        (ruled, &["audit"], EXPORTS, 403),
        (ruled, &["audit", "users.read"], EXPORTS, 200),
        (ruled, &["full"], EXPORTS, 200),
        (ruled, &["full"], USERS, 403),
        (ruled, &["role:support"], USERS, 403),
        (named, &["role:support"], USERS, 200),
        (named, &["role:support"], LOGS, 403),
        (named, &["*"], USERS, 403),
        (both, &["role:support"], LOGS, 200),
        (both, &["role:support"], EXPORTS, 200),
        (both, &["role:other"], EXPORTS, 403),
    ] {
        let builder = ApiKeyLayer::builder(PROFILE, store(|key| key.scopes(held))).routes(routes());
        let layer = choose(builder).build().unwrap();
        assert_eq!(status(&layer, &method, path).await, expected, "{held:?} {method} {path}");
    }
}

#[tokio::test]
async fn roles_change_while_a_gate_serves() {
    let roles = Roles::new();
    let store = store(|key| key.scopes(["role:support"]));
    let layer = ApiKeyLayer::builder(PROFILE, store).routes(routes()).roles(roles.clone());
    let layer = layer.build().unwrap();
    assert_eq!(status(&layer, &Method::GET, "/users").await, 403);
    roles.set("role:support", ["users.read"]).unwrap();
    assert_eq!(status(&layer, &Method::GET, "/users").await, 200);
    roles.set("role:support", ["logs.read"]).unwrap();
    assert_eq!(status(&layer, &Method::GET, "/users").await, 403);
    assert_eq!(status(&layer, &Method::GET, "/logs").await, 200);
    assert!(roles.remove("role:support"));
    assert_eq!(status(&layer, &Method::GET, "/logs").await, 403);
}

#[tokio::test]
async fn a_handler_asks_by_the_same_rules() {
    let roles = roles();
    let store = store(|key| key.scopes(["users.*", "role:support"]));
    let layer = ApiKeyLayer::builder(PROFILE, store).scopes(SCOPES).roles(roles.clone());
    let handler = service_fn(|request: Request<()>| async move {
        let mut response = Response::new(String::new());
        response.extensions_mut().insert(request.extensions().get::<Grant>().unwrap().clone());
        Ok::<_, Infallible>(response)
    });
    let service = layer.build().unwrap().layer(handler);
    let response = service.oneshot(request(Method::GET, "/")).await.unwrap();
    let grant = response.extensions().get::<Grant>().unwrap();
    for (scope, held) in [
        ("users.write", true),
        ("logs.read", true),
        ("role:support", true),
        ("users", false),
        ("other", false),
        ("", false),
    ] {
        assert_eq!(grant.has_scope(scope), held, "{scope}");
        assert_eq!(grant.require(scope).is_ok(), held, "{scope}");
        assert_eq!(grant.require_any(&["none", scope]).is_ok(), held, "{scope}");
    }
    assert!(grant.scopes().iter().eq(["role:support", "users.*"]), "as the record has them");
    roles.remove("role:support");
    assert!(!grant.has_scope("logs.read"), "a grant reads the roles as they are");
}

#[tokio::test]
async fn a_refusal_names_what_is_needed_and_nothing_of_the_rules() {
    let store = store(|key| key.scopes(["role:support"]));
    let layer = ApiKeyLayer::builder(PROFILE, store).routes(routes()).scopes(SCOPES);
    let service = greeting(&layer.build().unwrap());
    let response = send(&service, request(Method::POST, "/exports")).await;
    let needed = "users.read logs.read full".into();
    assert_eq!(response.extensions().get(), Some(&Denial::ScopeMissing { needed }));
}

#[test]
fn an_explanation_says_how_a_key_has_a_scope() {
    let explain = |held: &[&str], path| {
        let layer = ApiKeyLayer::builder(PROFILE, MemoryStore::new()).routes(routes());
        let layer = layer.scopes(SCOPES).roles(roles()).build().unwrap();
        let acme = Account::builder("acme").scopes(held).build().unwrap();
        let record = KeyRecord::builder("key_1", acme).build().unwrap();
        let request = request(Method::POST, path);
        layer.explain(&request, tls(), Some(&record), Timestamp::default())
    };
    let explanation = explain(&["role:support"], "/exports");
    let found: Vec<String> = explanation.scopes().iter().map(ToString::to_string).collect();
    let expected = [
        "users.read: granted by role:support (any_of_sets[0])",
        "logs.read: granted by role:support > audit (any_of_sets[0])",
        "full: missing (any_of_sets[1])",
    ];
    assert_eq!(found, expected);
    let paths: Vec<Vec<&str>> =
        explanation.scopes().iter().map(|scope| scope.path().collect()).collect();
    let audit = vec!["role:support", "audit", "logs.read"];
    assert_eq!(paths, [vec!["role:support", "users.read"], audit, vec![]]);
    assert!(explanation.decision().is_ok() && !explanation.scopes()[2].is_held());
    let printed = explanation.to_string();
    let lines =
        format!("{:<22} passed\n  {}\n", format!("{:?}", Check::Scope), expected.join("\n  "));
    assert!(printed.contains(&lines), "{printed}");

    let held = explain(&["full"], "/exports");
    assert_eq!(held.scopes()[2].to_string(), "full: held (any_of_sets[1])");
    assert!(explain(&["full"], "/elsewhere").scopes().is_empty());
}

#[test]
fn an_explanation_shows_which_scopes_are_alternatives() {
    let route = Route::new().all_of(&["a", "b"]).any_of(&["a", "c"]);
    let route = route.any_of_sets(&[&["b", "d"], &["a"]]);
    let layer = ApiKeyLayer::builder(PROFILE, MemoryStore::new());
    let layer = layer.routes(Routes::new().get("/", route)).build().unwrap();
    let acme = Account::builder("acme").scopes(["b", "c"]).build().unwrap();
    let record = KeyRecord::builder("key_1", acme).build().unwrap();
    let request = request(Method::GET, "/");
    let explanation = layer.explain(&request, tls(), Some(&record), Timestamp::default());
    let found: Vec<_> = explanation
        .scopes()
        .iter()
        .map(|scope| (scope.need(), scope.scope(), scope.is_held()))
        .collect();
    let expected = [
        (ScopeNeed::AllOf, "a", false),
        (ScopeNeed::AllOf, "b", true),
        (ScopeNeed::AnyOf, "a", false),
        (ScopeNeed::AnyOf, "c", true),
        (ScopeNeed::Set(0), "b", true),
        (ScopeNeed::Set(0), "d", false),
        (ScopeNeed::Set(1), "a", false),
    ];
    assert_eq!(found, expected);
    let printed = explanation.to_string();
    for line in ["a: missing\n", "c: held (any_of)\n", "d: missing (any_of_sets[0])\n"] {
        assert!(printed.contains(&format!("\n  {line}")), "{printed}");
    }
}

#[test]
fn contradictions_are_found_when_the_gate_is_built() {
    let build = |rules, route| {
        let routes = Routes::new().on(&[], "/a", route);
        let layer = ApiKeyLayer::builder(PROFILE, MemoryStore::new()).routes(routes);
        layer.scopes(rules).build().err().map(|error| (error.to_string(), error))
    };
    let all = |scopes| Route::new().all_of(scopes);
    for (rules, route) in [
        (SCOPES, all(&["users.*"])),
        (SCOPES, Route::new().any_of(&["users.read", "*"])),
        (SCOPES, Route::new().any_of_sets(&[&["full"], &["a", "users.*"]])),
    ] {
        let (text, error) = build(rules, route).unwrap();
        assert!(matches!(error, ConfigError::Route(InvalidRoute::Need { .. })), "{text}");
        assert!(
            text.contains("`/a`") && text.contains("wildcard") && text.contains("list"),
            "{text}"
        );
    }
    for (rules, words) in [
        (ScopeRules::new().separator('x'), ["separator", "`x`"]),
        (ScopeRules::new().hierarchy(&[("a", &["b.*"])]), ["hierarchy", "`b.*`"]),
        (ScopeRules::new().hierarchy(&[("a", &["b"]), ("b", &["a"])]), ["hierarchy", "`a`"]),
        (ScopeRules::new().hierarchy(&[("a", &[])]), ["hierarchy", "`a`"]),
        (ScopeRules::new().hierarchy(&[("a\n", &["b"])]), ["hierarchy", "`a\\n`"]),
        (ScopeRules::new().separator(':'), ["separator", "leave `separator` out"]),
        (ScopeRules::new().prefixes().hierarchy(&[("a.b", &["a"])]), ["`a.b`", "prefix `a`"]),
    ] {
        let (text, error) = build(rules, Route::new()).unwrap();
        assert!(matches!(error, ConfigError::ScopeRules { .. }), "{text}");
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
    }
    assert!(build(ScopeRules::new(), all(&["users.*"])).is_none(), "a plain name here");
}
