//! TLS with a certificate authority of one's own, and client certificates.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tower_api_key_redis::{RedisCredentials, RedisLimiter, RedisTls};

use crate::causes::rights;
use crate::failover::{Asked, told};
use crate::folder::{Folder, free_port};
use crate::{Redis, TURNS};

const PATIENT: Duration = Duration::from_secs(5);

/// A certificate authority, and what it signed.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        // An authority and a certificate of the same name look self-signed.
        parameters.distinguished_name.push(DnType::CommonName, "an authority");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// Returns a certificate for a host, and its key.
    fn signs(&self, host: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let parameters = CertificateParams::new([host.to_owned()]).unwrap();
        (parameters.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }
}

/// A server that asks its clients for certificates.
struct Secured {
    folder: Folder,
    port: u16,
    authority: Authority,
    server: Redis,
}

impl Secured {
    fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    fn start_with(further: &[&str]) -> Option<Self> {
        let (folder, port, authority) = (Folder::new(), free_port(), Authority::new());
        let (certificate, key) = authority.signs("127.0.0.1");
        let write = |name: &str, text: &str| -> PathBuf {
            let file = folder.path().join(name);
            fs::write(&file, text).unwrap();
            file
        };
        let files = [
            ("--tls-cert-file", write("server.pem", &certificate)),
            ("--tls-key-file", write("server.key", &key)),
            ("--tls-ca-cert-file", write("ca.pem", &authority.pem())),
        ];
        let port_text = port.to_string();
        let mut options = vec!["--tls-port", &port_text];
        for (name, file) in &files {
            options.extend([*name, file.to_str().unwrap()]);
        }
        options.extend(further);
        let server = Redis::start_with(&options)?;
        Some(Self { folder, port, authority, server })
    }

    fn url(&self) -> String {
        format!("rediss://127.0.0.1:{}", self.port)
    }

    fn client(&self) -> RedisTls {
        let (certificate, key) = self.authority.signs("a client");
        RedisTls::new().ca(self.authority.pem()).client_certificate(certificate, key)
    }
}

async fn answer(url: &str, tls: RedisTls) -> Result<(), String> {
    let limiter = RedisLimiter::builder(url).timeout(PATIENT).tls(tls).build();
    let asked = Asked::with(limiter.map_err(|error| told(&error))?);
    asked.limiter().check().await.map_err(|error| told(&error))?;
    asked.ask().await.map_err(|error| told(&error))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_sides_show_certificates() {
    let _turn = TURNS.read().await;
    let Some(secured) = Secured::start() else { return };
    answer(&secured.url(), secured.client()).await.unwrap();
    let valkeys = secured.url().replace("rediss", "valkeys");
    answer(&valkeys, secured.client()).await.unwrap();

    let of_other = RedisTls::new().ca(Authority::new().pem());
    let plain = secured.server.url().replace("redis", "rediss");
    let localhost = format!("rediss://localhost:{}", secured.port);
    // It waits for the end of what it takes for a command.
    let error = answer(&plain, secured.client()).await.unwrap_err();
    assert!(error.contains("the port does not speak TLS"), "{error}");
    for (what, url, tls) in [
        ("another authority", secured.url(), of_other),
        ("the authorities of the system", secured.url(), RedisTls::new()),
        (
            "no certificate of the client",
            secured.url(),
            RedisTls::new().ca(secured.authority.pem()),
        ),
        ("another name", localhost, secured.client()),
    ] {
        let error = answer(&url, tls).await.expect_err(what);
        println!("{what}: {error}");
        assert!(error.contains("TLS failed"), "{what}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificate_files_are_read_again_for_each_connection() {
    let _turn = TURNS.read().await;
    let Some(secured) = Secured::start() else { return };
    let file = |name: &str| secured.folder.path().join(name);
    let write = |authority: &Authority| {
        let (certificate, key) = authority.signs("a client");
        fs::write(file("client.pem"), certificate).unwrap();
        fs::write(file("client.key"), key).unwrap();
    };
    write(&secured.authority);
    let tls = RedisTls::new()
        .ca_file(file("ca.pem"))
        .client_certificate_files(file("client.pem"), file("client.key"));
    let builder = RedisLimiter::builder(&secured.url()).timeout(PATIENT).patience(1);
    let asked = Asked::with(builder.tls(tls).build().unwrap());
    asked.ask().await.unwrap();
    write(&Authority::new());
    let _: u64 = secured.server.ask(&["CLIENT", "KILL", "TYPE", "normal"]);
    let error = told(&asked.ask().await.unwrap_err());
    println!("{error}");
    write(&secured.authority);
    let began = std::time::Instant::now();
    while asked.ask().await.is_err() {
        assert!(began.elapsed() < PATIENT, "the new certificate is not read");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// One node with all slots: over TLS, as a user with the rights that the docs list, with a password file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_is_asked_over_tls_with_the_rights_that_the_docs_list() {
    let _turn = TURNS.read().await;
    let Some(secured) = Secured::start_with(&["--cluster-enabled", "yes", "--tls-cluster", "yes"])
    else {
        return;
    };
    let server = &secured.server;
    server.takes_all_slots();
    let user = ["ACL", "SETUSER", "limiter", "on", ">a-secret-word", "~tower-api-key:*", "-@all"];
    let rights = rights();
    let (): () = server.ask(&[&user[..], &rights].concat());
    while !server.ask::<String>(&["CLUSTER", "INFO"]).contains("cluster_state:ok") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let file = secured.folder.path().join("password");
    fs::write(&file, "a-secret-word\n").unwrap();
    let login = RedisCredentials::password_file(file).with_user("limiter");
    let limiter = RedisLimiter::cluster([secured.url()]).tls(secured.client()).credentials(login);
    let asked = Asked::with(limiter.timeout(PATIENT).build().unwrap());
    asked.limiter().check().await.unwrap();
    asked.ask().await.unwrap();
    let clients: String = server.ask(&["CLIENT", "LIST"]);
    let ours: Vec<_> = clients.lines().filter(|line| line.contains("user=limiter")).collect();
    assert!(!ours.is_empty(), "{clients}");
    let port = format!("laddr=127.0.0.1:{} ", secured.port);
    assert!(ours.iter().all(|line| line.contains(&port)), "{ours:?}");
    let log: Vec<Vec<redis::Value>> = server.ask(&["ACL", "LOG"]);
    let log = format!("{log:?}").replace("client|setinfo", "");
    assert!(!log.contains("cluster"), "{log}");
}

#[test]
fn what_is_no_certificate_is_found_when_the_limiter_is_built() {
    let authority = Authority::new();
    let (certificate, key) = authority.signs("a client");
    let url = "rediss://127.0.0.1";
    for (url, tls, expected) in [
        (url, RedisTls::new().ca("no certificate"), "not PEM"),
        (url, RedisTls::new().ca_file("/no/such/file"), "cannot be read"),
        (url, RedisTls::new().client_certificate("no certificate", &*key), "not PEM"),
        (url, RedisTls::new().client_certificate(&*certificate, "no key"), "not PEM"),
        ("redis://127.0.0.1", RedisTls::new(), "write `rediss://"),
        ("rediss://127.0.0.1#insecure", RedisTls::new(), "`#`"),
    ] {
        let error = RedisLimiter::builder(url).tls(tls).build().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
