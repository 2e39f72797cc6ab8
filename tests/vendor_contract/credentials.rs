//! Reading the one credential, alike for all vendors.

use http::Uri;

use super::case::Case;
use super::common::{assert_same, good};
use super::gate::{Answered, Gate};
use super::{personyze, polytomic_basic};

/// Sends a case's request with these `Authorization` lines, at a gate of its own.
async fn authorized(case: Case, lines: &[&str]) -> Answered {
    let mut request = case.authorization(&[]).to_request();
    for line in lines {
        request.headers_mut().append("authorization", line.parse().unwrap());
    }
    Gate::of(&case).send(request).await
}

#[tokio::test]
async fn two_lines_are_never_resolved_by_picking_one() {
    for case in &good() {
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
    for case in &good() {
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
            assert!(answered.status.is_client_error(), "{}: {line}", case.profile.name);
        }
    }
}

#[tokio::test]
async fn base64_is_strict() {
    for case in [personyze::GOOD, polytomic_basic::GOOD] {
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
            assert_eq!(answered.denial(), Some("credentials_malformed"), "{name}: {other}");
            assert_eq!(answered.status, 401, "{name}: {other}");
        }
    }
}

#[tokio::test]
async fn bearer_tokens_keep_to_their_alphabet() {
    for case in &good() {
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
    for case in &good() {
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
            assert_eq!(answered.denial(), Some("credentials_missing"), "{name}: {target}");
            assert_eq!(answered.status, 401, "{name}: {target}");
            let text = format!("{:?} {:?}", answered.lines(), answered.body);
            assert!(!text.contains(key), "{name}: the key comes back: {text}");
        }
        for target in
            [format!("{path}?api_key=other"), format!("https://api:other@api.example.com{path}")]
        {
            let mut request = case.to_request();
            *request.uri_mut() = target.parse::<Uri>().unwrap();
            let answered = Gate::of(case).send(request).await;
            assert_eq!(answered.status, 200, "{name}: {target}");
        }
    }
}
