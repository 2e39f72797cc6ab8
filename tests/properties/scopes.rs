//! What scopes grant: the gate and a plain saturation over all names agree.

use std::collections::BTreeSet;

use http::{Method, Request};
use proptest::prelude::*;
use tower_api_key::ApiKeyLayer;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{Account, KeyRecord};
use tower_api_key::rules::{Roles, Route, Routes, ScopeRules};
use tower_api_key::store::MemoryStore;

use super::support::{PROFILE, request, tls};

const NAMES: [&str; 12] =
    ["*", "a", "a.*", "a.b", "a.b.*", "a.b.c", "ab", "b", "b.*", "b.c", "role:x", "role:y"];

fn names() -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(prop::sample::select(&NAMES[..]), 0..4)
}

/// Returns true if `name` stands for `other`, part by part.
fn stands_for(name: &str, other: &str, wildcards: bool, prefixes: bool) -> bool {
    let (name, other): (Vec<&str>, Vec<&str>) =
        (name.split('.').collect(), other.split('.').collect());
    let begins = |parts: &[&str]| other.len() > parts.len() && other[..parts.len()] == *parts;
    let wild = wildcards && name.last() == Some(&"*") && begins(&name[..name.len() - 1]);
    name == other || wild || (prefixes && begins(&name))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_key_passes_where_a_saturation_says_so(
        held in names(),
        rows in prop::collection::vec((prop::sample::select(&NAMES[..]), names()), 0..4),
        role in names(),
        (wildcards, prefixes) in any::<(bool, bool)>(),
        needed in prop::sample::select(&["a", "a.b", "a.b.c", "ab", "b", "b.c", "role:x"][..]),
    ) {
        let hierarchy: Vec<(&str, &[&str])> =
            rows.iter().map(|(upper, lower)| (*upper, lower.as_slice())).collect();
        let mut rules = ScopeRules::new().hierarchy(&hierarchy);
        if wildcards { rules = rules.wildcards(); }
        if prefixes { rules = rules.prefixes(); }
        let roles = Roles::new();
        roles.set("role:x", &role).unwrap();
        let routes = Routes::new().get("/", Route::new().all_of(&[needed]));
        let builder = ApiKeyLayer::builder(PROFILE, MemoryStore::new()).routes(routes);
        // Rows that contradict themselves build no layer.
        let Ok(layer) = builder.scopes(rules).roles(roles).build() else { return Ok(()) };

        let mut granted: BTreeSet<&str> = held.iter().copied().collect();
        if held.contains(&"role:x") { granted.extend(&role); }
        loop {
            let before = granted.len();
            for name in NAMES {
                if granted.iter().any(|other| stands_for(other, name, wildcards, prefixes)) {
                    granted.insert(name);
                }
            }
            for (upper, lower) in &rows {
                if granted.contains(upper) { granted.extend(lower); }
            }
            if granted.len() == before { break }
        }

        let acme = Account::builder("acme").scopes(&held).build().unwrap();
        let record = KeyRecord::builder("key_1", acme).build().unwrap();
        let request: Request<()> = request(Method::GET, "/");
        let explanation = layer.explain(&request, tls(), Some(&record), Timestamp::default());
        let passes = explanation.decision().is_ok();
        prop_assert_eq!(passes, granted.contains(needed), "{:?} {:?} {:?}", held, rows, role);
        prop_assert_eq!(explanation.scopes()[0].is_held(), passes);
        prop_assert_eq!(explanation.scopes()[0].path().last(), passes.then_some(needed));
    }
}
