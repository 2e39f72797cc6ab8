//! What all vendors have in common: reading the one credential, and giving nothing away.

use http::{Uri, Version};
use tower_api_key::clock::Timestamp;
use tower_api_key::key::KeyRecordBuilder;
use tower_api_key::limits::OnLimiterFailure;

use crate::case::{Case, Transport, World};
use crate::gate::{Answered, Gate, digest};
use crate::{persona, personyze, polyteia, polytomic, rest_integrations, rows};

/// A request of each vendor that is served.
const GOOD: &[Case] = &[
    personyze::GOOD,
    rest_integrations::GOOD,
    polyteia::GOOD,
    persona::GOOD,
    polytomic::GOOD,
    polytomic::GOOD_ON_PREMISES,
];

/// Sends a case's request with these `Authorization` lines, at a gate of its own.
async fn authorized(case: Case, lines: &[&str]) -> Answered {
    let mut request = case.authorization(&[]).to_request();
    for line in lines {
        request
            .headers_mut()
            .append("authorization", line.parse().unwrap());
    }
    Gate::of(&case).send(request).await
}

/// Compares whole responses, but for an id that no two have in common.
fn assert_same(one: &Answered, other: &Answered, why: &str) {
    let lines = |answered: &Answered| {
        let mut lines = answered.lines();
        lines.retain(|line| !line.starts_with("request-id: "));
        lines
    };
    assert_eq!(one.status, other.status, "{why}");
    assert_eq!(lines(one), lines(other), "{why}");
    assert_eq!(one.body, other.body, "{why}");
}

#[tokio::test]
async fn two_lines_are_never_resolved_by_picking_one() {
    for case in GOOD {
        let name = case.profile.name;
        let good = case.authorization[0];
        let first = authorized(*case, &[good, good]).await;
        assert_eq!(first.denial(), Some("credentials_ambiguous"), "{name}");
        let status = if name == "Personyze" { 401 } else { 400 };
        assert_eq!(first.status, status, "{name}");
        for lines in [
            &[good, "Basic YXBpOmhlbGxv"][..],
            &["Basic YXBpOmhlbGxv", good],
            &[good, "Bearer other"],
            &["Digest x", good],
            &["", good],
            &[good, ""],
            &[good, good, good],
        ] {
            let answered = authorized(*case, lines).await;
            assert_same(&first, &answered, &format!("{name}: {lines:?}"));
        }
    }
}

#[tokio::test]
async fn schemes_are_read_in_any_case_and_after_any_spaces() {
    for case in GOOD {
        let (scheme, token) = case.authorization[0].split_once(' ').unwrap();
        for scheme in [
            scheme.to_owned(),
            scheme.to_lowercase(),
            scheme.to_uppercase(),
            scheme[..1].to_lowercase() + &scheme[1..].to_uppercase(),
        ] {
            for spaces in [" ", "  ", "                "] {
                let line = format!("{scheme}{spaces}{token}");
                let answered = authorized(*case, &[&line]).await;
                assert_eq!(answered.status, 200, "{}: {line}", case.profile.name);
            }
        }
        for line in [
            format!("{scheme}\t{token}"),
            format!("{scheme}{token}"),
            format!("{scheme}: {token}"),
            format!(" {scheme} {token}"),
            token.to_owned(),
        ] {
            let answered = authorized(*case, &[&line]).await;
            assert!(
                answered.status.is_client_error(),
                "{}: {line}",
                case.profile.name
            );
        }
    }
}

#[tokio::test]
async fn base64_is_strict() {
    for case in [personyze::GOOD, polytomic::GOOD_ON_PREMISES] {
        let line = case.authorization[0];
        let bare = line.trim_end_matches('=');
        // The last digit before the padding has four bits, or two, that must be zero.
        let (rest, last) = bare.split_at(bare.len() - 1);
        let next = char::from(last.as_bytes()[0] + 1);
        for other in [
            bare.to_owned(),
            format!("{line}="),
            format!("{line} "),
            format!("{line}\t"),
            format!("{rest}{next}{}", &line[bare.len()..]),
            format!("{}-{}", &line[..20], &line[21..]),
            format!("{}_{}", &line[..20], &line[21..]),
            format!("{} {}", &line[..20], &line[20..]),
            format!("{}={}", &line[..20], &line[21..]),
            format!("{line}{}", &line[6..]),
        ] {
            let answered = authorized(case, &[&other]).await;
            let name = case.profile.name;
            assert_eq!(
                answered.denial(),
                Some("credentials_malformed"),
                "{name}: {other}"
            );
            assert_eq!(answered.status, 401, "{name}: {other}");
        }
    }
}

#[tokio::test]
async fn bearer_tokens_keep_to_their_alphabet() {
    for case in GOOD {
        let Some(token) = case.authorization[0].strip_prefix("Bearer ") else {
            continue;
        };
        for byte in (b' '..=b'~').chain([b'\t']).chain(0x80..=0xff) {
            let allowed = byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
            let mut value = format!("Bearer {}", &token[..20]).into_bytes();
            value.push(byte);
            value.extend(&token.as_bytes()[20..]);
            let mut request = case.to_request();
            let value = http::HeaderValue::from_bytes(&value).unwrap();
            request.headers_mut().insert("authorization", value);
            let answered = Gate::of(case).send(request).await;
            let malformed = answered.denial() == Some("credentials_malformed");
            assert_eq!(malformed, !allowed, "{}: {byte:#x}", case.profile.name);
            assert_ne!(answered.status, 200, "{}: {byte:#x}", case.profile.name);
        }
    }
}

#[tokio::test]
async fn credentials_in_the_target_are_ignored() {
    for case in GOOD {
        let (name, key, path) = (case.profile.name, case.key, case.target);
        for target in [
            format!("{path}?api_key={key}"),
            format!("{path}?access_token={key}&key={key}&token={key}"),
            format!("https://api:{key}@api.example.com{path}"),
            format!("https://{key}@api.example.com{path}"),
        ] {
            let mut request = case.authorization(&[]).to_request();
            *request.uri_mut() = target.parse::<Uri>().unwrap();
            let answered = Gate::of(case).send(request).await;
            assert_eq!(
                answered.denial(),
                Some("credentials_missing"),
                "{name}: {target}"
            );
            assert_eq!(answered.status, 401, "{name}: {target}");
            let text = format!("{:?} {:?}", answered.lines(), answered.body);
            assert!(!text.contains(key), "{name}: the key comes back: {text}");
        }
        for target in [
            format!("{path}?api_key=other"),
            format!("https://api:other@api.example.com{path}"),
        ] {
            let mut request = case.to_request();
            *request.uri_mut() = target.parse::<Uri>().unwrap();
            let answered = Gate::of(case).send(request).await;
            assert_eq!(answered.status, 200, "{name}: {target}");
        }
    }
}

#[tokio::test]
async fn what_the_client_says_of_its_transport_proves_nothing() {
    for case in GOOD {
        let plain = case.over(Transport::Plain);
        let expected = plain.run_refused().await;
        let name = case.profile.name;
        assert_eq!(expected.denial(), Some("insecure_transport"), "{name}");
        assert!(!expected.status.is_redirection() && expected.status != 426);
        for version in [Version::HTTP_11, Version::HTTP_2, Version::HTTP_3] {
            let mut request = plain.to_request();
            *request.version_mut() = version;
            let target = format!("https://api.example.com{}", case.target);
            *request.uri_mut() = target.parse::<Uri>().unwrap();
            let answered = Gate::of(case).send(request).await;
            assert_same(&expected, &answered, &format!("{name}: {version:?}"));
        }
        for (header, value) in [
            ("x-forwarded-proto", "https"),
            ("forwarded", "for=192.0.2.1;proto=https"),
            ("x-forwarded-ssl", "on"),
            ("upgrade-insecure-requests", "1"),
        ] {
            let mut request = plain.to_request();
            request.headers_mut().insert(header, value.parse().unwrap());
            let answered = Gate::of(case).send(request).await;
            assert_same(&expected, &answered, &format!("{name}: {header}"));
        }
    }
}

#[tokio::test]
async fn a_key_over_plain_http_counts_as_exposed() {
    for case in GOOD {
        let gate = Gate::of(case);
        let plain = case.over(Transport::Plain);
        gate.send(case.to_request()).await;
        gate.send(plain.authorization(&[]).to_request()).await;
        let scheme = plain.authorization(&["Digest x"]);
        gate.send(scheme.to_request()).await;
        assert_eq!(gate.exposed(), [], "{}", case.profile.name);
        gate.send(plain.to_request()).await;
        assert_eq!(gate.exposed(), [digest(case.key)], "{}", case.profile.name);
        assert_eq!(gate.reached(), 1, "{}", case.profile.name);
    }
}

#[test]
fn every_401_challenges_for_every_scheme() {
    for (vendor, case) in rows().filter(|(_, case)| case.reply.status == 401) {
        let schemes: Vec<&str> = case
            .reply
            .challenges
            .iter()
            .map(|line| line.split_once(' ').unwrap().0)
            .collect();
        let expected: &[&str] = match vendor {
            "Personyze" => &["Basic"],
            "Polytomic on premises" => &["Basic", "Bearer"],
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
        let (get, head) = (
            case.run().await,
            case.request("HEAD", case.target).run().await,
        );
        assert!(
            !get.body.is_empty() && head.body.is_empty(),
            "{vendor}: {}",
            case.name
        );
        assert_eq!(head.denial(), get.denial(), "{vendor}: {}", case.name);
        let body = get.body.clone();
        assert_same(
            &get,
            &Answered { body, ..head },
            &format!("{vendor}: {}", case.name),
        );
        compared += 1;
    }
    assert!(compared > 150, "{compared}");
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_a_503_for_every_vendor_and_method() {
    for case in GOOD {
        for method in ["GET", "HEAD", "POST", "DELETE", "OPTIONS", "PURGE"] {
            for world in [World::StoreFails, World::StoreFailsLater] {
                let case = case.world(world).request(method, case.target);
                let answered = case.run_refused().await;
                let name = case.profile.name;
                assert_eq!(answered.status, 503, "{name}: {method}");
                assert_eq!(
                    answered.denial(),
                    Some("store_unavailable"),
                    "{name}: {method}"
                );
                assert_eq!(
                    answered.header("retry-after"),
                    Some("5"),
                    "{name}: {method}"
                );
                assert_eq!(
                    answered.header("www-authenticate"),
                    None,
                    "{name}: {method}"
                );
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
    for vendor in crate::VENDORS.iter().map(|(vendor, _)| *vendor) {
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

impl Case {
    /// Runs a case that is a changed copy of a served one.
    async fn run_refused(self) -> Answered {
        self.refused("", 0, "", &[]).run().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_limiter_that_may_fail_lets_pass_but_authenticates_all_the_same() {
    for case in GOOD {
        let case = case.world(World::LimiterFails(OnLimiterFailure::Allow));
        assert_eq!(case.run().await.status, 200, "{}", case.profile.name);
        let unknown = case.unknown().run_refused().await;
        assert_eq!(
            unknown.denial(),
            Some("key_unknown"),
            "{}",
            case.profile.name
        );
    }
}

#[tokio::test]
async fn a_key_serves_from_its_first_instant_until_just_before_its_last() {
    for case in GOOD {
        let gate = Gate::of(case);
        let [begins, ends] = [2_000_000_000, 2_000_000_060].map(Timestamp::from_unix_seconds);
        let edit = |record: KeyRecordBuilder| record.not_before(begins).expires(ends);
        assert!(gate.store.edit("key_1", edit).unwrap());
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
            assert_eq!(
                answered.denial(),
                denial,
                "{} at {instant:?}",
                case.profile.name
            );
        }
    }
}
