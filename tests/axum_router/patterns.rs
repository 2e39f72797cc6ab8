//! What axum's router refuses to register, the gate's table refuses to build.

use std::cell::Cell;
use std::panic;
use std::sync::Once;

use axum::Router;
use axum::routing::any;
use tower_api_key::ApiKeyLayer;
use tower_api_key::rules::{Route, Routes};

use crate::support::{PROFILE, store};

/// Every text of up to three of these is tried as a pattern, and of four that begins with a slash.
const PARTS: [&str; 16] =
    ["/", "a", "b", "{a}", "{b}", "{*a}", "{", "}", "{{", "}}", ":", "*", ".", "?", "é", "%2F"];

thread_local! {
    static EXPECTED: Cell<bool> = const { Cell::new(false) };
}

/// Keeps panics that are looked for out of the output; to print each with its frames takes minutes.
fn hush() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |about| {
            if !EXPECTED.get() {
                usual(about);
            }
        }));
    });
}

fn axum_takes(patterns: &[&str]) -> bool {
    EXPECTED.set(true);
    let registered = panic::catch_unwind(|| {
        let add = |router: Router, pattern: &&str| router.route(pattern, any(|| async {}));
        patterns.iter().fold(Router::new(), add)
    });
    EXPECTED.set(false);
    registered.is_ok()
}

fn gate_takes(patterns: &[&str]) -> bool {
    let add = |routes: Routes, pattern: &&str| routes.on(&[], *pattern, Route::new());
    let routes = patterns.iter().fold(Routes::new(), add);
    ApiKeyLayer::builder(PROFILE, store(|key| key)).routes(routes).build().is_ok()
}

fn texts(most: usize) -> Vec<String> {
    let mut longest = vec![String::new()];
    let mut all = longest.clone();
    for _ in 0..most {
        let longer = longest.iter().flat_map(|text| PARTS.map(|part| format!("{text}{part}")));
        longest = longer.collect();
        all.extend_from_slice(&longest);
    }
    all
}

#[test]
fn what_axum_does_not_register_the_table_does_not_take() {
    hush();
    let mut refused = 0;
    let short = texts(3);
    // Of four parts those alone that begin with a slash: the others are refused for that, as shorter ones are.
    let framed = short.iter().flat_map(|text| [format!("/{text}"), format!("/{text}/b")]);
    for pattern in &short.iter().cloned().chain(framed).collect::<Vec<_>>() {
        if !axum_takes(&[pattern]) {
            refused += 1;
            assert!(!gate_takes(&[pattern]), "axum does not register {pattern:?}");
        }
    }
    assert!(refused > 1_000, "{refused}");
}

#[test]
fn patterns_that_axum_does_not_register_together_are_not_taken_together() {
    hush();
    let fine = texts(4).into_iter().filter(|pattern| pattern.starts_with('/'));
    let fine: Vec<String> = fine.filter(|pattern| gate_takes(&[pattern])).collect();
    let (mut state, mut refused, mut taken) = (1u64, 0, 0);
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        fine[usize::try_from(state >> 33).unwrap() % fine.len()].as_str()
    };
    for _ in 0..20_000 {
        let patterns = [draw(), draw(), draw()];
        let takes = axum_takes(&patterns);
        assert!(takes || !gate_takes(&patterns), "axum does not register {patterns:?}");
        // Each by itself can be matched, so that only a conflict is left to refuse.
        assert!(!takes || gate_takes(&patterns), "axum registers {patterns:?}");
        if takes { taken += 1 } else { refused += 1 }
    }
    assert!(refused > 100 && taken > 100, "{refused} {taken}");
}
