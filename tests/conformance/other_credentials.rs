//! Keys in other places than Bearer, as curl sends them and as they are on the wire.

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use tokio::process::Command;
use tower_api_key::profile::{BasicKey, CredentialSource};
use tower_api_key::{ApiKeyLayer, Profile};

use super::server::Server;
use super::wire::Client;
use crate::support::{PROFILE, store};

/// A server that answers with the target that its service sees.
async fn server(credentials: &[CredentialSource<'_>]) -> Server {
    let profile = Profile { credentials, ..PROFILE };
    let layer = ApiKeyLayer::builder(profile, store(|key| key)).build().unwrap();
    Server::serving(&layer, |head, _| Response::new(Full::from(Bytes::from(head.uri.to_string()))))
        .await
}

/// Runs curl, and returns the body and the status.
async fn curl(server: &Server, target: &str, arguments: &[&str]) -> String {
    let url = format!("http://{}{target}", server.address);
    let curl = Command::new("curl")
        .args(["-sS", "--max-time", "10", "-w", " %{http_code}", "--noproxy", "*"])
        .args(arguments)
        .arg(url)
        .output();
    let output = curl.await.expect("curl is installed");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn curl_sends_each_credential() {
    if Command::new("curl").arg("--version").output().await.is_err() {
        eprintln!("skipped: curl is not installed");
        return;
    }
    let pair = "Authorization: ApiKey a2V5XzE6a2V5XzAxMjM0NTY3ODlhYmNkZWY="; // key_1:key_0123456789abcdef
    for (source, target, arguments) in [
        (
            CredentialSource::scheme("Token"),
            "/a?b",
            &["-H", "Authorization: Token key_0123456789abcdef"][..],
        ),
        (CredentialSource::basic(BasicKey::UserName), "/a?b", &["-u", "key_0123456789abcdef:"]),
        (CredentialSource::basic(BasicKey::UserName), "/a?b", &["-u", "key_0123456789abcdef:X"]),
        (
            CredentialSource::basic(BasicKey::SecretOfId),
            "/a?b",
            &["-u", "key_1:key_0123456789abcdef"],
        ),
        (CredentialSource::pair("ApiKey", BasicKey::SecretOfId), "/a?b", &["-H", pair]),
        (
            CredentialSource::id_and_secret("x-id", "x-secret"),
            "/a?b",
            &["-H", "X-Id: key_1", "-H", "X-Secret: key_0123456789abcdef"],
        ),
        (
            CredentialSource::insecure_query("key"),
            "/a",
            &["-G", "-d", "b", "--data-urlencode", "key=key_0123456789abcdef"],
        ),
    ] {
        let server = server(&[source]).await;
        assert_eq!(curl(&server, target, arguments).await, "/a?b 200", "{source:?}");
        assert!(curl(&server, "/a", &[]).await.ends_with(" 401"), "{source:?}");
    }
}

#[tokio::test]
async fn a_key_in_a_target_of_any_form_is_hidden() {
    let server = server(&[CredentialSource::insecure_query("key")]).await;
    for (line, expected) in [
        ("GET /a?key=key_0123456789abcdef HTTP/1.1", "/a"),
        ("GET http://h/a?x=%20&key=key_0123456789abcdef HTTP/1.1", "http://h/a?x=%20"),
        ("GET http://h?key=key_0123456789abcdef HTTP/1.1", "http://h/"),
        ("OPTIONS /?key=key_0123456789abcdef&y HTTP/1.1", "/?y"),
    ] {
        let mut client = Client::connect(&server).await;
        client.send(format!("{line}\r\nHost: h\r\n\r\n")).await;
        let answer = client.answer().await;
        assert_eq!((&*answer.start, &*answer.body), ("HTTP/1.1 200 OK", expected), "{line}");
    }
}
