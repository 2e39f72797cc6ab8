//! Keys that come and go while others are used: a partner issues keys to three users, and now and then
//! forces the older ones out.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::Method;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use tokio::time::sleep;

use crate::client::{Client, Connection, Protocol, Question};
use crate::expectation::{Expected, Served};
use crate::server::Demo;
use crate::tally::{Tally, Told};
use crate::vendors::polytomic::{FORBIDDEN, INVALID, VERSION};

/// How requests with such a key are counted.
pub(crate) const ISSUED_KEY: &str = "polytomic issued key";
/// Keys that the others of the load choose from, those that were forced out among them.
const SHARED: usize = 12;
const ROUND: Duration = Duration::from_secs(4);

/// A key that the demo has issued.
pub(crate) struct Issued {
    key: String,
    organization: String,
    /// It has been asked for its end; from now on it may be refused.
    ending: AtomicBool,
    /// Its end was answered; from now on it may not be served.
    ended: AtomicBool,
}

impl Issued {
    fn end(&self) {
        self.ending.store(true, Ordering::SeqCst);
        self.ended.store(true, Ordering::SeqCst);
    }

    /// Asks whose key it is. Tells whether it serves.
    pub(crate) async fn ask(&self, connection: &mut Connection, tally: &Tally) -> Option<bool> {
        let question = question(Method::GET, "/api/me", &self.key);
        let ended = self.ended.load(Ordering::SeqCst);
        let answer = connection.send(&question).await;
        let ending = self.ending.load(Ordering::SeqCst);
        let served = (!ended).then(|| Served::new(200, self.organization.as_str()));
        let expected = Expected { served, refused: ending.then_some(INVALID) };
        match answer.map_err(|error| error.to_string()).and_then(|answer| expected.judge(&answer)) {
            Ok(served) => {
                tally.count(ISSUED_KEY, if served { Told::Served } else { Told::Refused });
                Some(served)
            }
            Err(complaint) => {
                tally.complain(ISSUED_KEY, &format!("ended {ended}, ending {ending}: {complaint}"));
                None
            }
        }
    }
}

/// All keys that were issued, as far as anybody still asks for them.
#[derive(Default)]
pub(crate) struct Churn {
    shared: Mutex<VecDeque<Arc<Issued>>>,
    issued: AtomicUsize,
}

impl Churn {
    /// Returns the number of keys that were issued.
    pub(crate) fn issued(&self) -> usize {
        self.issued.load(Ordering::Relaxed)
    }

    /// Chooses a key that was issued, whoever has it.
    pub(crate) fn any(&self, random: &mut StdRng) -> Option<Arc<Issued>> {
        let shared = self.shared.lock().unwrap();
        let place = (!shared.is_empty()).then(|| random.random_range(0..shared.len()))?;
        shared.get(place).cloned()
    }

    fn share(&self, issued: &Arc<Issued>) {
        let mut shared = self.shared.lock().unwrap();
        if shared.len() == SHARED {
            shared.pop_front();
        }
        shared.push_back(Arc::clone(issued));
    }
}

/// A user of the demo, whose keys nobody else issues.
pub(crate) struct User {
    partner: String,
    organization: String,
    path: String,
}

impl User {
    /// Lists the users that the demo's partner may manage.
    pub(crate) fn all(demo: &Demo) -> Vec<Self> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let organizations = demo.manifest["organizations"].as_array().unwrap().iter();
        let managed = organizations.filter(|organization| organization["managed"] == true);
        let users = managed.flat_map(|organization| {
            let users = organization["users"].as_array().unwrap().iter();
            users.map(move |user| (text(&organization["id"]), text(&user["id"])))
        });
        let users = users.map(|(organization, user)| Self {
            partner: demo.key("polytomic", "partner").to_owned(),
            path: format!("/api/organizations/{organization}/users/{user}/keys"),
            organization,
        });
        users.collect()
    }

    /// Issues keys and ends them, until the run does.
    pub(crate) async fn churn(
        self,
        client: &Client,
        churn: &Churn,
        tally: &Tally,
        end: Instant,
        seed: u64,
    ) {
        let mut random = StdRng::seed_from_u64(seed);
        let mut living: Vec<Arc<Issued>> = Vec::new();
        while Instant::now() < end {
            let protocol = if random.random_bool(0.5) { Protocol::Http1 } else { Protocol::Http2 };
            let [mut one, mut other] =
                [client.connect(protocol).await, client.connect(protocol).await];
            for _ in 0..random.random_range(1..=2) {
                let Some(issued) = self.issue(&mut one, false, tally).await else { continue };
                churn.issued.fetch_add(1, Ordering::Relaxed);
                churn.share(&issued);
                living.push(issued);
                for key in &living {
                    key.ask(&mut one, tally).await;
                }
                let question = question(Method::POST, &self.path, &living[0].key);
                expect("polytomic issues for itself", &question, &mut one, tally).await;
                sleep(random.random_range(ROUND / 8..ROUND / 4)).await;
            }
            for key in &living {
                key.ending.store(true, Ordering::SeqCst);
            }
            let forced = if random.random_bool(0.3) {
                let forced = tokio::join!(
                    self.issue(&mut one, true, tally),
                    self.issue(&mut other, true, tally)
                );
                [forced.0, forced.1]
            } else {
                [self.issue(&mut one, true, tally).await, None]
            };
            let forced: Vec<Arc<Issued>> = forced.into_iter().flatten().collect();
            churn.issued.fetch_add(forced.len(), Ordering::Relaxed);
            for key in living.drain(..) {
                key.end();
                key.ask(&mut one, tally).await;
            }
            living.extend(self.survivor(&forced, &mut one, tally).await);
            for key in &living {
                churn.share(key);
            }
            sleep(random.random_range(ROUND / 4..ROUND / 2)).await;
        }
    }

    /// Finds the one key that is left when several were issued by force at once.
    async fn survivor(
        &self,
        forced: &[Arc<Issued>],
        connection: &mut Connection,
        tally: &Tally,
    ) -> Option<Arc<Issued>> {
        let mut left = Vec::new();
        for key in forced {
            // Where there are two, each may have ended the other.
            key.ending.store(forced.len() > 1, Ordering::SeqCst);
            if key.ask(connection, tally).await? {
                key.ending.store(false, Ordering::SeqCst);
                left.push(Arc::clone(key));
            } else {
                key.end();
            }
        }
        if left.len() != 1 {
            tally.complain("polytomic forced", &format!("{} keys are left", left.len()));
        }
        left.pop()
    }

    async fn issue(
        &self,
        connection: &mut Connection,
        force: bool,
        tally: &Tally,
    ) -> Option<Arc<Issued>> {
        let name = if force { "polytomic issue by force" } else { "polytomic issue" };
        let path = if force { format!("{}?force=true", self.path) } else { self.path.clone() };
        let question = question(Method::POST, &path, &self.partner);
        let answer = match connection.send(&question).await {
            Ok(answer) if answer.status == 200 => answer,
            other => {
                tally.complain(name, &format!("{other:?}"));
                return None;
            }
        };
        tally.count(name, Told::Served);
        let content: Value = serde_json::from_str(&answer.content).unwrap();
        let key = content["data"]["value"].as_str().unwrap().to_owned();
        assert!(key.starts_with("pk_live_") && key.len() == 40, "{key}");
        assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"));
        Some(Arc::new(Issued {
            key,
            organization: self.organization.clone(),
            ending: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        }))
    }
}

/// Expects an issued key to issue none.
async fn expect(
    name: &'static str,
    question: &Question,
    connection: &mut Connection,
    tally: &Tally,
) {
    let answer = connection.send(question).await.map_err(|error| error.to_string());
    match answer.and_then(|answer| Expected::refused(FORBIDDEN).judge(&answer)) {
        Ok(_) => tally.count(name, Told::Refused),
        Err(complaint) => tally.complain(name, &complaint),
    }
}

fn question(method: Method, path: &str, key: &str) -> Question {
    let version = (VERSION.0, VERSION.1.to_owned());
    let key = ("authorization", format!("Bearer {key}"));
    Question { method, path: path.to_owned(), headers: vec![version, key], content: "" }
}
