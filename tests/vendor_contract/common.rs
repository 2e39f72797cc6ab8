//! What all vendors have in common: challenges, outages, `HEAD`, and giving nothing away.

use tower_api_key::clock::Timestamp;
use tower_api_key::key::KeyRecordBuilder;
use tower_api_key::quota::OnLimiterFailure;

use super::case::{Case, World};
use super::gate::{Answered, Gate};
use super::{
    VENDORS, persona, personyze, polyteia, polytomic, polytomic_basic, rest_integrations, rows,
};

/// A request of each vendor that is served.
const GOOD: &[Case] = &[
    personyze::GOOD,
    rest_integrations::GOOD,
    polyteia::GOOD,
    persona::GOOD,
    polytomic::GOOD,
    polytomic_basic::GOOD,
];

/// Lists a request of each vendor that is served, at gates of the vendor's constant and file.
pub(crate) fn good() -> Vec<Case> {
    GOOD.iter().flat_map(|case| case.with_each_source()).collect()
}

/// Compares whole responses, but for an id that no two have in common.
pub(crate) fn assert_same(one: &Answered, other: &Answered, why: &str) {
    let lines = |answered: &Answered| {
        let mut lines = answered.lines();
        lines.retain(|line| !line.starts_with("request-id: "));
        lines
    };
    assert_eq!(one.status, other.status, "{why}");
    assert_eq!(lines(one), lines(other), "{why}");
    assert_eq!(one.body, other.body, "{why}");
}

impl Case {
    /// Runs a case that is a changed copy of a served one.
    pub(crate) async fn run_refused(self) -> Answered {
        self.refused("", 0, "", &[]).run().await
    }
}

#[test]
fn every_401_challenges_for_every_scheme() {
    for (vendor, case) in rows().filter(|(_, case)| case.reply.status == 401) {
        let schemes: Vec<&str> =
            case.reply.challenges.iter().map(|line| line.split_once(' ').unwrap().0).collect();
        let expected: &[&str] = match vendor {
            "Personyze" => &["Basic"],
            "Polytomic on premises" => &["Basic", "Bearer"],
            "no vendor" => &["Bearer", "ApiKey"],
            _ => &["Bearer"],
        };
        assert_eq!(schemes, expected, "{vendor}: {}", case.name);
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_request_is_refused_with_the_same_headers_and_no_content() {
    let mut compared = 0;
    for (vendor, case) in rows() {
        if case.method != "GET" || case.reply.denial.is_none() {
            continue;
        }
        let (get, head) = (case.run().await, case.request("HEAD", case.target).run().await);
        assert!(!get.body.is_empty() && head.body.is_empty(), "{vendor}: {}", case.name);
        assert_eq!(head.denial(), get.denial(), "{vendor}: {}", case.name);
        let body = get.body.clone();
        assert_same(&get, &Answered { body, ..head }, &format!("{vendor}: {}", case.name));
        compared += 1;
    }
    assert!(compared > 150, "{compared}");
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_a_503_for_every_vendor_and_method() {
    for case in &good() {
        for method in ["GET", "HEAD", "POST", "DELETE", "OPTIONS", "PURGE"] {
            for world in [World::StoreFails, World::StoreFailsLater] {
                let case = case.world(world).request(method, case.target);
                let answered = case.run_refused().await;
                let name = case.profile.name;
                assert_eq!(answered.status, 503, "{name}: {method}");
                assert_eq!(answered.denial(), Some("store_unavailable"), "{name}: {method}");
                assert_eq!(answered.header("retry-after"), Some("5"), "{name}: {method}");
                assert_eq!(answered.header("www-authenticate"), None, "{name}: {method}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_client_must_not_tell_apart_is_equal_to_the_byte() {
    let groups = |vendor: &str| {
        let absent = vec!["credentials_missing", "scheme_unsupported"];
        let mut dead = vec![
            "key_malformed",
            "key_revoked",
            "key_disabled",
            "key_not_yet_valid",
            "key_expired",
            "environment_mismatch",
            "scheme_not_for_kind",
        ];
        match vendor {
            // It documents another answer to an unknown key, and hides another account's path.
            "Personyze" => dead.push("account_mismatch"),
            _ => dead.push("key_unknown"),
        }
        [absent, dead]
    };
    for vendor in VENDORS.iter().map(|(vendor, _)| *vendor) {
        for group in groups(vendor) {
            let mut first: Option<Answered> = None;
            for denial in group {
                let cases = rows().filter(|(of, _)| *of == vendor);
                let cases = cases.filter(|(_, case)| case.reply.denial == Some(denial));
                for (_, case) in cases {
                    let answered = case.run().await;
                    let first = first.get_or_insert_with(|| answered.clone());
                    assert_same(first, &answered, &format!("{vendor}: {}", case.name));
                }
            }
            assert!(first.is_some(), "{vendor}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_limiter_that_may_fail_lets_pass_but_authenticates_all_the_same() {
    for case in &good() {
        let case = case.world(World::LimiterFails(OnLimiterFailure::Allow));
        assert_eq!(case.run().await.status, 200, "{}", case.profile.name);
        let unknown = case.unknown().run_refused().await;
        assert_eq!(unknown.denial(), Some("key_unknown"), "{}", case.profile.name);
    }
}

#[tokio::test]
async fn a_key_serves_from_its_first_instant_until_just_before_its_last() {
    for case in &good() {
        let gate = Gate::of(case);
        let [begins, ends] = [2_000_000_000, 2_000_000_060].map(Timestamp::from_unix_seconds);
        let edit = |record: KeyRecordBuilder| record.not_before(begins).expires(ends);
        assert!(gate.store.update_now("key_1", edit).unwrap());
        let before =
            |instant: Timestamp| Timestamp::from_unix_nanoseconds(instant.unix_nanoseconds() - 1);
        for (instant, denial) in [
            (before(begins), Some("key_not_yet_valid")),
            (begins, None),
            (before(ends), None),
            (ends, Some("key_expired")),
        ] {
            gate.clock.set(instant);
            let answered = gate.send(case.to_request()).await;
            assert_eq!(answered.denial(), denial, "{} at {instant:?}", case.profile.name);
        }
    }
}
