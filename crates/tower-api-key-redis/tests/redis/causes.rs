//! Why Redis cannot be reached, as an operator is told; and what a user of Redis has to be allowed.

use std::fs;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tower_api_key::concurrency::{Acquire, Concurrency, ConcurrencyLimiter};
use tower_api_key::key::AccountId;
use tower_api_key::quota::Quota;
use tower_api_key_redis::{Lease, RedisLimiter};

use crate::Redis;
use crate::failover::{Asked, told};
use crate::folder::{Folder, free_port};

const PASSWORD: &str = "a-secret-word";

/// Waits until an operator is told this.
async fn is_told(url: &str, expected: &str) {
    let limiter = RedisLimiter::builder(url).timeout(Duration::from_millis(300)).build().unwrap();
    let asked = Asked::with(limiter);
    let began = Instant::now();
    loop {
        let told = told(&asked.ask().await.expect_err(url));
        assert!(!told.contains(PASSWORD), "{told}");
        if told.contains(expected) {
            println!("{expected}: {told}");
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{url} is told: {told}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Starts what answers this to whatever it is sent, and hangs up then; nothing if it is to say nothing.
async fn answers(answer: Option<&'static [u8]>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://ada:{PASSWORD}@{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut silent = Vec::new();
        while let Ok((mut client, _)) = listener.accept().await {
            if let Some(answer) = answer {
                let _ = client.read(&mut [0; 1_024]).await;
                let _ = client.write_all(answer).await;
            } else {
                silent.push(client);
            }
        }
    });
    url
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_reached_is_told_by_its_cause() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    is_told(&format!("redis://ada:{PASSWORD}@{nobody}"), "connection refused").await;
    let unknown = format!("redis://ada:{PASSWORD}@no-such-host.invalid");
    is_told(&unknown, "the URL's host has no address").await;
    is_told(&answers(None).await, "no answer in time").await;
    is_told(&answers(Some(b"")).await, "the server closed the connection").await;
    let http = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n";
    is_told(&answers(Some(http)).await, "does not speak the Redis protocol").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_refuses_is_told_by_its_words() {
    for program in Redis::programs() {
        let server = Redis::start_program(&program, &["--rename-command", "EVALSHA", ""]);
        is_told(&server.url(), "ERR unknown command").await;
        let server = Redis::start_program(&program, &[]);
        let none = format!("redis://ada:{PASSWORD}@127.0.0.1:{}", server.port());
        is_told(&none, "authentication failed: check the URL's user and password").await;
        let none = format!("{none}?protocol=resp3");
        is_told(&none, "check the URL's user and password").await;
        is_told(&format!("{}/99", server.url()), "the database in the URL").await;
        let (): () = server.ask(&["CONFIG", "SET", "requirepass", PASSWORD]);
        is_told(&server.url(), "NOAUTH").await;
        let server = Redis::start_program(&program, &[]);
        let mut connection = redis::Client::open(server.url()).unwrap().get_connection().unwrap();
        redis::cmd("CONFIG").arg(&["SET", "maxclients", "1"]).exec(&mut connection).unwrap();
        is_told(&server.url(), "too many clients").await;
    }
}

/// Only the system's server may know TLS.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_wants_tls_is_told() {
    let folder = Folder::new();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("certificate"), folder.path().join("key"));
    fs::write(&certificate, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let Some(server) = Redis::start() else { return };
    for (name, file) in [("tls-cert-file", &certificate), ("tls-ca-cert-file", &certificate)] {
        set_if_known(&server, name, file.to_str().unwrap());
    }
    set_if_known(&server, "tls-key-file", key.to_str().unwrap());
    let port = free_port();
    if set_if_known(&server, "tls-port", &port.to_string()) {
        is_told(&format!("redis://ada:{PASSWORD}@127.0.0.1:{port}"), "expects TLS").await;
    } else {
        println!("SKIPPED: this Redis knows no TLS");
    }
}

fn set_if_known(server: &Redis, name: &str, value: &str) -> bool {
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_connection().unwrap();
    redis::cmd("CONFIG").arg(&["SET", name, value]).exec(&mut connection).is_ok()
}

/// The rights that the docs list, with a `+` before each.
pub(crate) fn rights() -> Vec<&'static str> {
    let docs = include_str!("../../src/limiter.rs");
    let line = docs.split("ACL SETUSER").nth(1).unwrap();
    let line = line.split("```").next().unwrap();
    line.split_whitespace().filter(|word| word.starts_with('+')).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_with_the_rights_that_the_docs_list_is_refused_nothing() {
    let rights = rights();
    assert!(rights.contains(&"+ping") && rights.contains(&"+select"), "{rights:?}");
    for program in Redis::programs() {
        let server = Redis::start_program(&program, &[]);
        let mut user = vec!["ACL", "SETUSER", "limiter", "on", ">a-secret-word"];
        user.extend(["~tower-api-key:*", "resetchannels", "-@all"]);
        user.extend(&rights);
        let (): () = server.ask(&user);
        let url = format!("redis://limiter:{PASSWORD}@127.0.0.1:{}/1", server.port());
        let builder = || RedisLimiter::builder(&url).timeout(Duration::from_secs(20));
        let mut asked = Asked::with(builder().build().unwrap());
        // So many counters that those that are over are looked for, which is done a second after.
        for length in 1..=80u64 {
            let second = Duration::from_secs(1);
            asked.quotas = [Quota::new("quota", 10, second + Duration::from_millis(length))];
            asked.ask().await.unwrap();
            if length == 70 {
                tokio::time::sleep(2 * second).await;
            }
        }
        let leased = Asked::with(builder().lease(Lease::new()).build().unwrap());
        for _ in 0..300 {
            leased.ask().await.unwrap();
        }
        let limiter = builder().permit_lease(Duration::from_secs(1)).build().unwrap();
        let concurrency = limiter.concurrency();
        let (account, rule) = (AccountId::new("acme").unwrap(), Concurrency::new(1));
        let entry = || Acquire { account: &account, route: "POST /jobs", rule };
        let permit = concurrency.acquire(entry()).await.unwrap().expect("there is a permit");
        assert!(concurrency.acquire(entry()).await.unwrap().is_none());
        // Until it was renewed.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        assert!(concurrency.acquire(entry()).await.unwrap().is_none());
        drop(permit);
        let began = Instant::now();
        while concurrency.acquire(entry()).await.unwrap().is_none() {
            assert!(began.elapsed() < Duration::from_secs(5), "it is not given back");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // The client's library says its own name, and does without the right to.
        let log: Vec<Vec<redis::Value>> = server.ask(&["ACL", "LOG"]);
        let log = format!("{log:?}").replace("client|setinfo", "");
        let denied = rights.iter().map(|right| right.trim_start_matches('+'));
        let denied: Vec<_> = denied.filter(|right| log.contains(&format!("'{right}'"))).collect();
        assert!(denied.is_empty(), "{denied:?} of {log}");
        let count = log.matches("'command'").count() + log.matches("'key'").count();
        assert!(count <= 2, "{log}");
    }
}
