//! Users of the server's ACL whose passwords change, and Unix sockets.

use std::fs;
use std::time::Duration;

use tower_api_key_redis::{RedisCredentials, RedisLimiter, RedisLimiterBuilder};

use crate::failover::{Asked, told};
use crate::folder::Folder;
use crate::{Redis, TURNS};

const PATIENT: Duration = Duration::from_secs(5);

/// Asks a limiter while the server's password goes from one to another.
async fn rotates(server: &Redis, builder: RedisLimiterBuilder, changes: impl Fn(&str)) {
    let user = |rules: &[&str]| {
        let (): () = server.ask(&[&["ACL", "SETUSER", "limiter"], rules].concat());
    };
    user(&["on", ">first-secret", "~*", "+@all"]);
    changes("first-secret");
    let asked = Asked::with(builder.timeout(PATIENT).build().unwrap());
    asked.limiter().check().await.unwrap();
    asked.ask().await.unwrap();
    user(&[">second-secret"]);
    changes("second-secret");
    user(&["<first-secret"]);
    // A connection that is up stays logged in.
    asked.ask().await.unwrap();
    let _: u64 = server.ask(&["CLIENT", "KILL", "TYPE", "normal"]);
    asked.ask().await.unwrap();
    // Without the right password, the error names the place to look, and no password.
    changes("wrong-secret");
    let _: u64 = server.ask(&["CLIENT", "KILL", "TYPE", "normal"]);
    let error = told(&asked.ask().await.unwrap_err());
    assert!(error.contains("authentication failed"), "{error}");
    assert!(!error.contains("secret"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_file_is_read_again_for_each_connection() {
    let _turn = TURNS.read().await;
    for program in Redis::programs() {
        let server = Redis::start_program(&program, &[]);
        let folder = Folder::new();
        let file = folder.path().join("password");
        let credentials = RedisCredentials::password_file(&file).with_user("limiter");
        let builder = RedisLimiter::builder(&server.url()).credentials(credentials);
        rotates(&server, builder, |password| fs::write(&file, format!("{password}\n")).unwrap())
            .await;

        let builder =
            RedisLimiter::builder(&format!("redis://limiter@127.0.0.1:{}", server.port()));
        let gone = builder.credentials(RedisCredentials::password_file(folder.path().join("none")));
        let error = told(&gone.build().unwrap().check().await.unwrap_err());
        assert!(error.contains("the password file cannot be read"), "{error}");
        assert!(error.contains("No such file"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_is_called_for_each_connection() {
    let _turn = TURNS.read().await;
    let Some(server) = Redis::start() else { return };
    let password = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let shared = std::sync::Arc::clone(&password);
    let credentials = RedisCredentials::from_fn(move || {
        Ok(RedisCredentials::password(shared.lock().unwrap().clone()).with_user("limiter"))
    });
    let builder = RedisLimiter::builder(&server.url()).credentials(credentials);
    rotates(&server, builder, |new| new.clone_into(&mut password.lock().unwrap())).await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unix_socket_leads_to_the_server() {
    let _turn = TURNS.read().await;
    for program in Redis::programs() {
        let folder = Folder::new();
        let socket = folder.path().join("redis.sock");
        let server = Redis::start_program(&program, &["--unixsocket", socket.to_str().unwrap()]);
        for scheme in ["unix", "redis+unix", "valkey+unix"] {
            let url = format!("{scheme}://{}?db=1", socket.display());
            let asked = Asked::with(RedisLimiter::builder(&url).timeout(PATIENT).build().unwrap());
            asked.limiter().check().await.unwrap();
            asked.ask().await.unwrap();
        }
        assert_eq!(server.scripts_run(), 3);
    }
}
