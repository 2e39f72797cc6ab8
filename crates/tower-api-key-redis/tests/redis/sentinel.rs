//! A primary that Sentinels watch, and its failover.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tower_api_key_redis::{RedisCredentials, RedisLimiter, RedisLimiterBuilder};

use crate::clustered::eventually;
use crate::failover::{Asked, told};
use crate::folder::{Folder, free_port};
use crate::server::with_each_program;
use crate::{Redis, TURNS};

/// How long a failover takes at most, with a busy machine's time.
const FAILOVER: Duration = Duration::from_secs(20);

/// Of the Sentinels; the servers have none.
const PASSWORD: &str = "a-secret-word";

/// A Sentinel of one test's own.
struct Sentinel {
    port: u16,
    process: Child,
    _folder: Folder,
}

impl Sentinel {
    fn start(program: &Path, primary: &Redis) -> Self {
        let (port, folder) = (free_port(), Folder::new());
        let file = folder.path().join("sentinel.conf");
        let settings = format!(
            "port {port}\nbind 127.0.0.1\nrequirepass {PASSWORD}\nsentinel monitor limits 127.0.0.1 {} 2\n\
             sentinel down-after-milliseconds limits 500\nsentinel failover-timeout limits 3000\n",
            primary.port()
        );
        fs::write(&file, settings).unwrap();
        let mut command = Command::new(program);
        let command = command.arg(&file).arg("--sentinel").current_dir(folder.path());
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Self { port, process, _folder: folder }
    }

    fn url(&self) -> String {
        format!("redis://:{PASSWORD}@127.0.0.1:{}", self.port)
    }

    /// Returns a field of what the Sentinel says of the primary.
    fn field(&self, name: &str) -> Option<String> {
        let client = redis::Client::open(self.url()).unwrap();
        let mut connection = client.get_connection().ok()?;
        let mut command = redis::cmd("SENTINEL");
        let fields = command.arg("MASTER").arg("limits").query(&mut connection);
        fields
            .ok()
            .and_then(|mut fields: std::collections::HashMap<String, String>| fields.remove(name))
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// A primary, its replica, and three Sentinels.
struct Watched {
    servers: [Redis; 2],
    sentinels: Vec<Sentinel>,
}

impl Watched {
    fn start(program: &Path) -> Self {
        let servers =
            [(); 2].map(|()| Redis::start_program(program, &["--repl-diskless-sync-delay", "0"]));
        let (): () = servers[1].ask(&["REPLICAOF", "127.0.0.1", &servers[0].port().to_string()]);
        eventually("the replica follows", || {
            servers[1].ask::<String>(&["INFO", "replication"]).contains("master_link_status:up")
        });
        let sentinels = (0..3).map(|_| Sentinel::start(program, &servers[0])).collect();
        let this = Self { servers, sentinels };
        eventually("the Sentinels meet", || {
            this.sentinels.iter().all(|sentinel| {
                sentinel.field("num-other-sentinels").as_deref() == Some("2")
                    && sentinel.field("num-slaves").as_deref() == Some("1")
            })
        });
        this
    }

    fn limiter(&self) -> RedisLimiterBuilder {
        let urls: Vec<String> = self.sentinels.iter().map(Sentinel::url).collect();
        RedisLimiter::sentinel(urls, "limits").timeout(Duration::from_millis(300))
    }
}

/// Waits until a limiter is answered by a server.
async fn is_answered_by(asked: &Asked, server: &Redis) {
    let before = server.scripts_run();
    let began = Instant::now();
    let mut last = String::new();
    while server.scripts_run() == before {
        assert!(began.elapsed() < FAILOVER, "the primary is not found: {last}");
        if let Err(error) = asked.ask().await {
            last = told(&error);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    println!("found after {:.1?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 6)]
async fn the_primary_is_found_and_followed() {
    let _turn = TURNS.read().await;
    with_each_program(|program| async move {
        let watched = Watched::start(&program);
        let [one, other] = &watched.servers;
        let asked = Asked::with(watched.limiter().build().unwrap());
        asked.limiter().check().await.unwrap();
        asked.ask().await.unwrap();
        assert_eq!(one.scripts_run(), 1);

        let sentinel = &watched.sentinels[0];
        let wrong = RedisLimiter::sentinel([sentinel.url()], "another").build().unwrap();
        let error = told(&wrong.check().await.unwrap_err());
        assert!(error.contains("do not know the service"), "{error}");
        let no_password = format!("redis://127.0.0.1:{}", sentinel.port);
        let wrong = RedisLimiter::sentinel([no_password], "limits").build().unwrap();
        let error = told(&wrong.check().await.unwrap_err());
        assert!(error.contains("NOAUTH") && !error.contains(PASSWORD), "{error}");
        let wrong = RedisLimiter::open(&sentinel.url()).unwrap();
        let error = told(&wrong.check().await.unwrap_err());
        assert!(error.contains("the URL leads to a Sentinel"), "{error}");
        let wrong = RedisLimiter::sentinel([one.url()], "limits").build().unwrap();
        let error = told(&wrong.check().await.unwrap_err());
        assert!(error.contains("no Sentinel names the primary"), "{error}");

        // It freezes, and comes back as the primary that it was.
        one.signal("STOP");
        is_answered_by(&asked, other).await;
        one.signal("CONT");
        for _ in 0..50 {
            asked.ask().await.unwrap();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        eventually("it is a replica", || {
            let told = one.try_ask::<String>(&["INFO", "replication"]);
            told.is_ok_and(|told| told.contains("master_link_status:up"))
        });
    })
    .await;
}

/// A primary that is cut off from its Sentinels goes on to answer, so the limiter must ask them by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_does_not_know_of_its_successor_is_left() {
    let _turn = TURNS.read().await;
    let Some(program) = Redis::programs().into_iter().next() else { return };
    let watched = Watched::start(&program);
    let [one, other] = &watched.servers;
    let url = format!("redis://limiter:any@127.0.0.1:{}", one.port());
    let primary = redis::Client::open(url);
    let (): () = one.ask(&["ACL", "SETUSER", "limiter", "on", "nopass", "~*", "+@all"]);
    let (): () = other.ask(&["ACL", "SETUSER", "limiter", "on", "nopass", "~*", "+@all"]);
    let login = RedisCredentials::password("any").with_user("limiter");
    let asked = Asked::with(watched.limiter().credentials(login).build().unwrap());
    asked.ask().await.unwrap();
    // The primary shuts the Sentinels out, and goes on to answer the limiter.
    let mut primary = primary.unwrap().get_connection().unwrap();
    redis::cmd("ACL").arg(&["SETUSER", "default", "off"]).exec(&mut primary).unwrap();
    redis::cmd("CLIENT").arg(&["KILL", "USER", "default"]).exec(&mut primary).unwrap();
    asked.ask().await.unwrap();
    is_answered_by(&asked, other).await;
    let role: Vec<redis::Value> = redis::cmd("ROLE").query(&mut primary).unwrap();
    assert!(format!("{role:?}").contains("master"), "{role:?}");
}
