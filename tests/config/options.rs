//! Each option of a gate, from a file and in Rust: both gates answer each request of a list alike, and otherwise than a
//! gate without the option.

use std::time::Duration;

use http::Method;
use tower_api_key::attempts::{FailedAttempts, RefusedRequests};
use tower_api_key::concurrency::Concurrency;
use tower_api_key::config::{Backends, FileFormat};
use tower_api_key::key::{KeyHasher, Networks, Pepper, Peppers};
use tower_api_key::limits::{AnonymousQuotas, MemoryLimiter, Plans};
use tower_api_key::quota::{OnLimiterFailure, Per, Quota};
use tower_api_key::request::{ProxyHeaders, TrustedProxies};
use tower_api_key::rules::{Otherwise, QueryCost, Roles, Route, Routes, ScopeRules};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, ConfigError, Preflight, vendors};

use crate::read;
use crate::requests::{answers, backends, pepper, profile};

const MINUTE: Duration = Duration::from_secs(60);

/// The same profile as [`profile`].
const PROFILE: &str = r#"
[profile]
base = "rest_integrations"
name = "Test"
realm = "test"
credentials = [{ scheme = "bearer" }, { scheme = { header = "x-api-key" } }, { scheme = { websocket_protocol = "api-key." } }]
quotas = []
request_id = { name = "x-request-id" }
"#;

type Change = fn(ApiKeyLayerBuilder) -> ApiKeyLayerBuilder;

fn routes(route: Route<'_>) -> Routes {
    Routes::new().on(&[], "/a", route)
}

fn in_memory(builder: ApiKeyLayerBuilder) -> ApiKeyLayerBuilder {
    builder.limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
}

/// What a file adds to the profile, and the same in Rust.
const OPTIONS: &[(&str, Change)] = &[
    ("[[routes]]\npath = \"/a\"", |it| it.routes(routes(Route::new()))),
    ("routes = []", |it| it.routes(Routes::new())),
    ("[[routes]]\nmethods = [\"POST\"]\npath = \"/{*rest}\"", |it| {
        it.routes(Routes::new().on(&[Method::POST], "/{*rest}", Route::new()))
    }),
    ("[[routes]]\npath = \"/a\"\nall_of = [\"a\", \"b\"]", |it| {
        it.routes(routes(Route::new().all_of(&["a", "b"])))
    }),
    ("[[routes]]\npath = \"/a\"\nany_of = [\"b\", \"support\"]", |it| {
        it.routes(routes(Route::new().any_of(&["b", "support"])))
    }),
    ("[[routes]]\npath = \"/a\"\nany_of_sets = [[\"b\"], [\"a\"]]", |it| {
        it.routes(routes(Route::new().any_of_sets(&[&["b"], &["a"]])))
    }),
    ("[[routes]]\npath = \"/a\"\nkinds = [\"robot\"]", |it| {
        it.routes(routes(Route::new().kinds(&["robot"])))
    }),
    ("[[routes]]\npath = \"/{org}\"\naccount_parameter = \"org\"", |it| {
        let route = Route::new().account_parameter("org");
        it.routes(Routes::new().on(&[], "/{org}", route))
    }),
    (
        "limiter.url = \"memory:\"\n[[routes]]\npath = \"/a\"\ncost = 2\nquotas = [{ name = \"m\", limit = 5, window = \"60s\", per = \"key\" }]",
        |it| {
            let quotas = [Quota::new("m", 5, MINUTE).with_per(Per::Key)];
            in_memory(it).routes(routes(Route::new().cost(2).quotas(&quotas)))
        },
    ),
    (
        "limiter.url = \"memory:\"\n[[routes]]\npath = \"/a\"\nrefund_on = [202, \"500-599\"]\nquotas = [{ name = \"m\", limit = 2, window = \"60s\" }]",
        |it| {
            let quotas = [Quota::new("m", 2, MINUTE)];
            in_memory(it)
                .routes(routes(Route::new().refund_on(&[202..=202, 500..=599]).quotas(&quotas)))
        },
    ),
    (
        "limiter.url = \"memory:\"\n[[routes]]\npath = \"/a\"\nquery_costs = [{ parameter = \"include\", each = 2 }]\nonly_own_quotas = true\nwithout_limit_headers = true\nquotas = [{ name = \"m\", limit = 9, window = \"60s\" }]",
        |it| {
            let quotas = [Quota::new("m", 9, MINUTE)];
            let route = Route::new().quotas(&quotas).only_own_quotas().without_limit_headers();
            let costs = [QueryCost { parameter: "include", each: 2 }];
            in_memory(it).routes(routes(route.query_costs(&costs)))
        },
    ),
    (
        "limiter.url = \"memory:\"\n[[routes]]\npath = \"/a\"\nmetered = true\nquotas = [{ name = \"m\", limit = 9, window = \"60s\" }]",
        |it| {
            let quotas = [Quota::new("m", 9, MINUTE)];
            in_memory(it).routes(routes(Route::new().metered().quotas(&quotas)))
        },
    ),
    (
        "[[routes]]\npath = \"/a\"\nconcurrency = { limit = 1, longest_wait = \"1ms\", longest_queue = 2 }",
        |it| {
            let rule = Concurrency::new(1)
                .with_longest_wait(Duration::from_millis(1))
                .with_longest_queue(2);
            it.routes(routes(Route::new().concurrency(rule)))
        },
    ),
    ("[[routes]]\npath = \"/{*rest}\"\nbudget = \"20ms\"", |it| {
        let route = Route::new().budget(Duration::from_millis(20));
        it.routes(Routes::new().on(&[], "/{*rest}", route))
    }),
    ("otherwise = \"deny\"", |it| it.routes(Routes::new().otherwise(Otherwise::Deny))),
    ("otherwise = { need = { all_of = [\"support\"] } }", |it| {
        it.routes(Routes::new().otherwise(Otherwise::Need(Route::new().all_of(&["support"]))))
    }),
    ("routes_of = \"polytomic\"\n[[routes]]\npath = \"/a\"", |it| {
        it.routes(Routes::new().rows(vendors::polytomic::ROUTES).on(&[], "/a", Route::new()))
    }),
    ("[scopes]\nwildcards = true\n[[routes]]\npath = \"/a\"\nall_of = [\"users.read\"]", |it| {
        let route = Route::new().all_of(&["users.read"]);
        it.routes(routes(route)).scopes(ScopeRules::new().wildcards())
    }),
    (
        "[scopes]\nseparator = \":\"\nprefixes = true\nhierarchy = { support = [\"top\"] }\n[[routes]]\npath = \"/a\"\nall_of = [\"top:low\"]",
        |it| {
            let rules =
                ScopeRules::new().separator(':').prefixes().hierarchy(&[("support", &["top"])]);
            it.routes(routes(Route::new().all_of(&["top:low"]))).scopes(rules)
        },
    ),
    ("roles = { support = [\"x\"] }\n[[routes]]\npath = \"/a\"\nall_of = [\"x\"]", |it| {
        let roles = Roles::new();
        roles.set("support", ["x"]).unwrap();
        it.routes(routes(Route::new().all_of(&["x"]))).roles(roles)
    }),
    (
        "limiter.url = \"memory:\"\n[[plans.free]]\nname = \"m\"\nlimit = 1\nwindow = \"60s\"",
        |it| {
            let plans = Plans::new();
            plans.set("free", [Quota::new("m", 1, MINUTE)]).unwrap();
            in_memory(it).plans(plans)
        },
    ),
    ("environment = \"live\"", |it| it.environment("live")),
    ("audience = \"billing\"", |it| it.audience("billing")),
    ("pepper = \"sixteen random b\"", |it| it.hasher(KeyHasher::with_pepper(&pepper()))),
    ("pepper = { base64 = \"c2l4dGVlbiByYW5kb20gYg==\" }", |it| {
        it.hasher(KeyHasher::with_pepper(&pepper()))
    }),
    ("pepper = { hex = \"7369787465656e2072616e646f6d2062\" }", |it| {
        it.hasher(KeyHasher::with_pepper(&pepper()))
    }),
    (
        "[peppers]\ncurrent = { name = \"2\", secret = \"another pepper!!\" }\nformer = [{ name = \"1\", secret = \"sixteen random b\", until = \"2100-01-01\" }]",
        |it| {
            let former = Peppers::builder("2", Pepper::new(*b"another pepper!!").unwrap());
            it.hasher(KeyHasher::with_peppers(former.former("1", pepper()).build().unwrap()))
        },
    ),
    (
        "[peppers]\ncurrent = { name = \"2\", secret = \"another pepper!!\" }\nnext = { name = \"3\", secret = \"sixteen random b\" }\nformer = [{ name = \"none\", without_pepper = true }]",
        |it| {
            let all = Peppers::builder("2", Pepper::new(*b"another pepper!!").unwrap());
            let all = all.former_without_pepper("none").next("3", pepper());
            it.hasher(KeyHasher::with_peppers(all.build().unwrap()))
        },
    ),
    ("assume_https = true", ApiKeyLayerBuilder::assume_https),
    ("[trusted_proxies]\nnetworks = [\"10.0.0.0/8\"]\nheaders = \"x_forwarded\"", |it| {
        let networks = Networks::new(["10.0.0.0/8"]).unwrap();
        it.trusted_proxies(TrustedProxies::new(networks, ProxyHeaders::XForwarded))
    }),
    (
        "[trusted_proxies]\nnetworks = [\"10.0.0.0/8\"]\nheaders = \"either\"\nunix_socket = true\nalways_proxies = true",
        |it| {
            let networks = Networks::new(["10.0.0.0/8"]).unwrap();
            let proxies = TrustedProxies::new(networks, ProxyHeaders::Either);
            it.trusted_proxies(proxies.and_unix_socket().always_proxies())
        },
    ),
    ("[trusted_proxies]\nheaders = \"forwarded\"\ninsecure_whole_internet = true", |it| {
        it.trusted_proxies(TrustedProxies::insecure_whole_internet(ProxyHeaders::Forwarded))
    }),
    (
        "request_id_from_proxies = true\n[trusted_proxies]\nnetworks = [\"10.0.0.0/8\"]\nheaders = \"x_forwarded\"",
        |it| {
            let networks = Networks::new(["10.0.0.0/8"]).unwrap();
            let proxies = TrustedProxies::new(networks, ProxyHeaders::XForwarded);
            it.trusted_proxies(proxies).request_id_from_proxies()
        },
    ),
    ("optional = true\notherwise = { need = {} }", |it| {
        it.optional().routes(Routes::new().otherwise(Otherwise::Need(Route::new())))
    }),
    (
        "limiter.url = \"memory:\"\noptional = true\notherwise = { need = {} }\n[anonymous_quotas]\nquotas = [{ name = \"m\", limit = 1, window = \"60s\" }]\nprefixes = { ipv4 = 8 }",
        |it| {
            let quotas = AnonymousQuotas::new([Quota::new("m", 1, MINUTE)]).prefixes(8, 64);
            let open = Routes::new().otherwise(Otherwise::Need(Route::new()));
            in_memory(it).optional().anonymous_quotas(quotas).routes(open)
        },
    ),
    (
        "limiter.url = \"memory:\"\noptional = true\n[[routes]]\npath = \"/a\"\nanonymous_quotas = [{ name = \"m\", limit = 1, window = \"60s\" }]",
        |it| {
            let quotas = [Quota::new("m", 1, MINUTE)];
            in_memory(it).optional().routes(routes(Route::new().anonymous_quotas(&quotas)))
        },
    ),
    ("allow_preflight = true", ApiKeyLayerBuilder::allow_preflight),
    (
        "[answer_preflight]\nfrom_origins = [\"https://app.example\"]\nmethods = [\"PUT\"]\nheaders = [\"x-a\"]\nmax_age = \"60s\"",
        |it| {
            let preflight = Preflight::from_origins(["https://app.example"]);
            it.answer_preflight(preflight.methods([Method::PUT]).headers(["x-a"]).max_age(MINUTE))
        },
    ),
    ("[answer_preflight]\nfrom_any_origin = true", |it| {
        it.answer_preflight(Preflight::from_any_origin())
    }),
    ("strip_credential = true", ApiKeyLayerBuilder::strip_credential),
    ("client_in_request = true", ApiKeyLayerBuilder::client_in_request),
    ("decision_in_response = true", ApiKeyLayerBuilder::decision_in_response),
    ("without_grant = true", ApiKeyLayerBuilder::without_grant),
    ("grpc_services = [\"vendors.v1.Users\"]", |it| it.grpc_services(["vendors.v1.Users"])),
    ("only_grpc = true", ApiKeyLayerBuilder::only_grpc),
    ("select_websocket_protocol = \"chat.v1\"", |it| it.select_websocket_protocol("chat.v1")),
    ("[failed_attempts]\nlimit = 2\nwindow = \"60s\"\ncapacity = 8", |it| {
        it.failed_attempts(FailedAttempts::new(2, MINUTE).capacity(8))
    }),
    (
        "[failed_attempts]\nlimit = 2\nwindow = \"60s\"\nserve_good_keys = true\nprefixes = { ipv4 = 1, ipv6 = 1 }",
        |it| it.failed_attempts(FailedAttempts::new(2, MINUTE).serve_good_keys().prefixes(1, 1)),
    ),
    (
        "[failed_attempts]\nlimit = 2\nwindow = \"60s\"\nshared_on_failure = \"deny\"\n[limiter]\nurl = \"memory:\"",
        |it| {
            let attempts = FailedAttempts::new(2, MINUTE);
            in_memory(
                it.failed_attempts(
                    attempts.counted_by(MemoryLimiter::new(), OnLimiterFailure::Deny),
                ),
            )
        },
    ),
    (
        "[refused_requests]\nlimit = 1\nwindow = \"60s\"\nkeys = 8\n[[routes]]\npath = \"/a\"\nall_of = [\"z\"]",
        |it| {
            let route = Route::new().all_of(&["z"]);
            it.routes(routes(route)).refused_requests(RefusedRequests::new(1, MINUTE).keys(8))
        },
    ),
    (
        "without_limits = true\n[[routes]]\npath = \"/a\"\nquotas = [{ name = \"m\", limit = 1, window = \"60s\" }]",
        |it| {
            let quotas = [Quota::new("m", 1, MINUTE)];
            it.without_limits().routes(routes(Route::new().quotas(&quotas)))
        },
    ),
    ("limiter = { url = \"memory:\", on_failure = \"allow\" }", |it| {
        it.limits(MemoryLimiter::new(), OnLimiterFailure::Allow)
    }),
];

/// Returns a file with the fields of an option before the profile, and its tables after it.
fn file(option: &str) -> String {
    match option.find("[[").into_iter().chain(option.find("\n[").map(|at| at + 1)).min() {
        _ if option.starts_with('[') => format!("{PROFILE}{option}"),
        Some(at) if option[..at].ends_with('\n') => {
            format!("{}{PROFILE}{}", &option[..at], &option[at..])
        }
        _ => format!("{option}\n{PROFILE}"),
    }
}

#[tokio::test]
async fn a_gate_of_a_file_is_the_gate_in_rust() {
    let bare = ApiKeyLayer::builder(profile(), backends().0);
    let bare = answers(bare).await;
    for (option, in_rust) in OPTIONS {
        let (store, backends) = backends();
        let door = read(&file(option), FileFormat::Toml)
            .unwrap_or_else(|error| panic!("{option}\n{error}"));
        let of_file = answers(door.builder(&backends)).await;
        let in_rust = answers(in_rust(ApiKeyLayer::builder(profile(), store))).await;
        for (of_file, in_rust) in of_file.iter().zip(&in_rust) {
            assert_eq!(of_file, in_rust, "{option}");
        }
        let same = ["on_failure", "without_limits", "path = \"/a\"\nconcurrency"];
        if !same.iter().any(|word| option.contains(word)) {
            assert_ne!(of_file, bare, "{option} changes nothing");
        }
    }
}

#[test]
fn attempts_that_a_missing_limiter_would_count_are_refused() {
    let table = "[failed_attempts]\nlimit = 2\nwindow = \"60s\"\nshared_on_failure = \"deny\"";
    let text = format!("{PROFILE}{table}\n[limiter]\nurl = \"memory:\"");
    let door = read(&text, FileFormat::Toml).unwrap();
    let without = door.builder(&Backends::new(MemoryStore::new()));
    assert!(matches!(without.build(), Err(ConfigError::AttemptsLimiterMissing)));
    let with = Backends::new(MemoryStore::new()).limiter(MemoryLimiter::new());
    assert!(door.builder(&with).build().is_ok());
}
