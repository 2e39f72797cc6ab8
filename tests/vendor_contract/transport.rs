//! HTTPS needs proof, alike for all vendors.

use http::{Uri, Version};

use super::case::Transport;
use super::common::{assert_same, good};
use super::gate::{Gate, digest};

#[tokio::test]
async fn what_the_client_says_of_its_transport_proves_nothing() {
    for case in &good() {
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
    for case in &good() {
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
