//! Encrypted connections to a real server: each mode, an own authority, and certificates of clients.

use std::error::Error;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use sqlx::PgPool;
use tower_api_key::store::{Invalidation, Invalidations, KeyManager, KeyStore, StoreError};
use tower_api_key_sqlx::SqlStore;

use crate::folder::Folder;
use crate::postgres::{Postgres, own_file};
use crate::{digest, key};

/// An authority that signs certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: PathBuf,
    folder: PathBuf,
}

impl Authority {
    fn new(folder: &Folder, name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = folder.path().join(format!("{name}.crt"));
        fs::write(&certificate, params.self_signed(&key).unwrap().pem()).unwrap();
        let issuer = Issuer::new(params, key);
        Self { issuer, certificate, folder: folder.path().to_owned() }
    }

    /// Signs a certificate for a host or a client; returns the files of the certificate and its key.
    fn sign(&self, file: &str, host: Option<&str>, name: &str) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().unwrap();
        let hosts: Vec<_> = host.into_iter().map(str::to_owned).collect();
        let mut params = CertificateParams::new(hosts).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        let signed = params.signed_by(&key, &self.issuer).unwrap();
        let paths = ["crt", "key"].map(|end| self.folder.join(format!("{file}.{end}")));
        for (path, text) in paths.iter().zip([signed.pem(), key.serialize_pem()]) {
            fs::write(path, text).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        }
        let [certificate, key] = paths;
        (certificate, key)
    }
}

/// Lets the server speak TLS with a certificate for `localhost`, and know its clients by an authority. The role
/// `only_tls` must encrypt, and the role `gate` must show a certificate.
async fn turn_on(server: &Postgres, admin: &PgPool, authority: &Authority) {
    let (certificate, key) = authority.sign("server", Some("localhost"), "server");
    for (from, to) in [(certificate, "server.crt"), (key, "server.key")] {
        fs::copy(from, server.data().join(to)).unwrap();
        own_file(&server.data().join(to));
    }
    fs::copy(&authority.certificate, server.data().join("root.crt")).unwrap();
    own_file(&server.data().join("root.crt"));
    let access = server.data().join("pg_hba.conf");
    let rules = "hostssl all only_tls all trust\nhost all only_tls all reject\nhostssl all gate all cert\n\
                 host all gate all reject\n";
    fs::write(&access, format!("{rules}{}", fs::read_to_string(&access).unwrap())).unwrap();
    for statement in [
        "CREATE ROLE only_tls LOGIN SUPERUSER",
        "CREATE ROLE gate LOGIN SUPERUSER",
        "ALTER SYSTEM SET ssl_ca_file = 'root.crt'",
        "ALTER SYSTEM SET ssl = on",
        "SELECT pg_reload_conf()",
    ] {
        sqlx::query(statement).execute(admin).await.unwrap();
    }
    let look = "SELECT setting = 'on' FROM pg_settings WHERE name = 'ssl'";
    while !sqlx::query_scalar::<_, bool>(look).fetch_one(admin).await.unwrap() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn connect(url: &str) -> Result<SqlStore, StoreError> {
    SqlStore::builder(url).lookup_timeout(Duration::from_secs(5)).connect().await
}

/// Returns whether the connections of a store are encrypted, by the name that its URL gave.
async fn is_encrypted(admin: &PgPool, name: &str) -> bool {
    let look = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                WHERE application_name = $1";
    sqlx::query_scalar(look).bind(name).fetch_one(admin).await.unwrap()
}

fn told(error: &StoreError) -> String {
    let mut told = format!("{error:?} {error}");
    let mut cause = error.source();
    while let Some(source) = cause {
        told = format!("{told} {source}");
        cause = source.source();
    }
    told
}

fn file(path: &Path) -> String {
    path.to_str().unwrap().replace('/', "%2F")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_mode_encrypts_and_verifies_what_it_says() {
    let Some(server) = Postgres::start() else { return };
    let folder = Folder::new();
    let (ours, theirs) = (Authority::new(&folder, "ours"), Authority::new(&folder, "theirs"));
    let admin = PgPool::connect(server.url()).await.unwrap();
    let base = format!("127.0.0.1:{}/postgres?sslmode", server.port());
    assert!(connect(&format!("postgres://test@{base}=prefer")).await.is_ok(), "not encrypted");
    let refused = connect(&format!("postgres://test@{base}=require")).await.unwrap_err();
    assert!(told(&refused).contains("TLS"), "{refused}");

    turn_on(&server, &admin, &ours).await;
    let (good, other) = (file(&ours.certificate), file(&theirs.certificate));
    for (number, (host, mode, expected)) in [
        ("127.0.0.1", "disable".to_owned(), Some(false)),
        ("127.0.0.1", "prefer".to_owned(), Some(true)),
        // Encrypts, and proves nothing.
        ("127.0.0.1", "require".to_owned(), Some(true)),
        ("127.0.0.1", format!("verify-ca&sslrootcert={good}"), Some(true)),
        ("localhost", format!("verify-full&sslrootcert={good}"), Some(true)),
        ("127.0.0.1", format!("verify-full&sslrootcert={good}"), None),
        ("localhost", format!("verify-full&sslrootcert={other}"), None),
        ("localhost", format!("verify-ca&sslrootcert={other}"), None),
        // The authorities of this machine have not signed it.
        ("localhost", "verify-full".to_owned(), None),
    ]
    .into_iter()
    .enumerate()
    {
        let (name, port) = (format!("mode_{number}"), server.port());
        let url = format!(
            "postgres://test:secret-word@{host}:{port}/postgres?application_name={name}&sslmode={mode}"
        );
        match (connect(&url).await, expected) {
            (Ok(store), Some(encrypted)) => {
                let mut changes = store.invalidations().unwrap();
                assert_eq!(changes.next().await.unwrap(), Invalidation::Everything);
                store.find(&digest("key")).await.unwrap();
                assert_eq!(is_encrypted(&admin, &name).await, encrypted, "{host} {mode}");
            }
            (Err(error), None) => {
                let told = told(&error);
                assert!(told.contains("certificate"), "{host} {mode}: {told}");
                assert!(!told.contains("secret-word"), "{told}");
            }
            (opened, _) => panic!("{host} {mode}: {opened:?}"),
        }
    }
    let plain = format!("postgres://only_tls@{base}=disable");
    assert!(told(&connect(&plain).await.unwrap_err()).contains("28000"));
    let store = connect(&format!("postgres://only_tls@{base}=require")).await.unwrap();
    store.add(key("key"), "test").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_knows_a_gate_by_its_certificate() {
    let Some(server) = Postgres::start() else { return };
    let folder = Folder::new();
    let (ours, theirs) = (Authority::new(&folder, "ours"), Authority::new(&folder, "theirs"));
    let admin = PgPool::connect(server.url()).await.unwrap();
    turn_on(&server, &admin, &ours).await;
    let base = format!(
        "postgres://gate@localhost:{}/postgres?sslmode=verify-full&sslrootcert={}",
        server.port(),
        file(&ours.certificate)
    );
    let with = |(certificate, key): (PathBuf, PathBuf)| {
        format!("{base}&sslcert={}&sslkey={}", file(&certificate), file(&key))
    };
    let store = connect(&with(ours.sign("gate", None, "gate"))).await.unwrap();
    store.add(key("key"), "test").await.unwrap();
    assert!(store.find(&digest("key")).await.unwrap().is_some());
    for (url, which) in [
        (base.clone(), "none"),
        (with(ours.sign("somebody", None, "somebody")), "another name's"),
        (with(theirs.sign("forged", None, "gate")), "another authority's"),
    ] {
        assert!(connect(&url).await.is_err(), "{which}");
    }
}

/// What contradicts itself is found before anything connects.
#[tokio::test]
async fn a_certificate_that_proves_nothing_is_refused() {
    for (query, expected) in [
        ("sslrootcert=ca.crt", "sslmode=verify-full"),
        ("sslmode=require&sslrootcert=ca.crt", "sslmode=verify-full"),
        ("sslmode=verify-full&sslcert=gate.crt", "`sslkey`"),
        ("sslkey=gate.key", "`sslcert`"),
        ("pgbouncer=yes", "`true` or `false`"),
    ] {
        let url = format!("postgres://ada@127.0.0.1:1/keys?{query}");
        let error = SqlStore::connect(&url).await.unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains("ada"), "{query}: {error}");
    }
}
