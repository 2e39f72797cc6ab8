//! The paths that are counted: requests that are accepted or refused, and the gate that they meet.

use std::convert::Infallible;
use std::sync::Arc;

use http::{HeaderValue, Request, Response};
use metrics_exporter_prometheus::PrometheusBuilder;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use tokio::runtime::{self, Runtime};
use tower::Service;
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::key::{KeyHasher, KeyRecord};
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::store::{Cached, KeyStore, MemoryStore};
use tower_api_key::{ApiKeyLayerBuilder, Profile};

use super::counted_requests;
use super::scripted_redis::leasing_limiter;
use super::subject::{
    self, BARE, Extras, GRPC_SERVICE, InRouter, Left, PROFILE, Straight, account, builder, by_hand,
    call, call_of_grpc, free_served, guarded, nothing, open, request, routes,
};

/// More than one, so that a lookup that happens to be lucky does not stand for all.
const KEYS: usize = 64;

/// Writes the `Authorization` of a path from a key and the next one.
type WriteKey = fn(&str, &str) -> Option<HeaderValue>;

/// One way through the gate.
pub(crate) struct Path {
    pub(crate) name: &'static str,
    /// What the requests meet.
    meets: Met,
    /// Whether the store knows the keys.
    known: bool,
    authorize: WriteKey,
    expected: u16,
}

/// What the requests of a path meet. All but the straight function without headers leave a grant and three headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Met {
    /// A gate over the store and the limiter in memory.
    Gate,
    /// The same, without limit headers and grant.
    BareGate,
    /// The same as the first, with metrics for Prometheus.
    ObservedGate,
    /// A gate behind a cache that has all keys.
    CachedGate,
    /// A gate that has leases from Redis in hand.
    LeasedGate,
    /// A gate that answers calls of gRPC.
    GrpcGate,
    /// A straight function with the same primitives.
    Straight(Left),
    /// A router of axum without a gate.
    OpenRouter,
    /// A router of axum behind a gate, whose handler takes the grant.
    GatedRouter,
    /// The same, behind a middleware written by hand.
    RouterByHand,
}

/// Refusals of other gates than that of gRPC are in JSON.
pub(crate) const PATHS: [Path; 17] = [
    Path::accepted("accept", Met::Gate, bearer),
    Path::accepted("accept-bare", Met::BareGate, bearer),
    Path::accepted("accept-basic", Met::Gate, basic),
    Path::accepted("accept-metrics", Met::ObservedGate, bearer),
    Path::accepted("accept-cached", Met::CachedGate, bearer),
    Path::accepted("accept-leased", Met::LeasedGate, bearer),
    Path::accepted("accept-grpc", Met::GrpcGate, bearer),
    Path::refused("refuse-missing", Met::Gate, none, 401),
    Path::refused("refuse-malformed", Met::Gate, comma, 400),
    Path::refused("refuse-checksum", Met::Gate, halves, 401),
    Path { known: false, ..Path::refused("refuse-unknown", Met::Gate, bearer, 401) },
    // With status 200, as gRPC has it.
    Path::refused("refuse-grpc", Met::GrpcGate, halves, 200),
    Path::accepted("straight", Met::Straight(Left::GrantAndHeaders), bearer),
    Path::accepted("straight-bare", Met::Straight(Left::Nothing), bearer),
    Path::accepted("axum-open", Met::OpenRouter, bearer),
    Path::accepted("axum", Met::GatedRouter, bearer),
    Path::accepted("axum-by-hand", Met::RouterByHand, bearer),
];

impl Path {
    const fn accepted(name: &'static str, meets: Met, authorize: WriteKey) -> Self {
        Self::refused(name, meets, authorize, 200)
    }

    const fn refused(name: &'static str, meets: Met, authorize: WriteKey, expected: u16) -> Self {
        Self { name, meets, known: true, authorize, expected }
    }

    /// Makes `total` requests, the first `gated` of them through the gate.
    pub(crate) fn run(&self, gated: usize, total: usize) {
        // What is random elsewhere is not here: keys come of a seed, and time stands still.
        let (keys, unknown) = (issue(1), issue(2));
        let (store, owner) = (MemoryStore::new(), account(0));
        for (index, key) in if self.known { &keys } else { &unknown }.iter().enumerate() {
            let record = KeyRecord::builder(format!("key_{index}"), Arc::clone(&owner)).build();
            store.add_now(KeyHasher::sha256().digest(key.as_bytes()), record.expect("valid"));
        }
        let followers = keys.iter().cycle().skip(1);
        let requests = keys.iter().zip(followers).map(|(key, next)| {
            let authorization = (self.authorize)(key, next);
            if self.meets == Met::GrpcGate {
                call_of_grpc(authorization)
            } else {
                request("/v1/users", authorization)
            }
        });
        let requests: Vec<Request<()>> = requests.collect();
        let clock = ManualClock::starting_at(Timestamp::from_unix_seconds(1_700_000_000));
        let limiter = MemoryLimiter::with_capacity(2_000_000);
        let gate = |profile: &Profile, extras| {
            let (clock, store) = (clock.clone(), store.clone());
            builder(clock, profile, store, MemoryLimiter::with_capacity(2_000_000), extras)
        };
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let count = |gate: ApiKeyLayerBuilder| {
            self.count(&mut guarded(gate.routes(routes())), &requests, gated, total);
        };
        match self.meets {
            Met::Gate => count(gate(&PROFILE, Extras::Grant)),
            Met::BareGate => count(gate(&BARE, Extras::None)),
            Met::ObservedGate => {
                let recorder = PrometheusBuilder::new().build_recorder();
                // Another path of this run may have set one.
                let _ = metrics::set_global_recorder(recorder);
                count(gate(&PROFILE, Extras::Metrics));
            }
            Met::CachedGate => {
                let cache = filled(&runtime, &store, &clock, &keys);
                count(builder(clock.clone(), &PROFILE, cache, limiter, Extras::Grant));
            }
            Met::LeasedGate => {
                let (clock, store) = (clock.clone(), store.clone());
                let limiter = leasing_limiter(&runtime);
                let gate = builder(clock, &PROFILE, store, limiter, Extras::Grant);
                let mut gate = guarded(gate.routes(routes()));
                let _entered = runtime.enter();
                // The first request of the account waits for a lease, which serves all others.
                let first = requests.first().expect("a request").clone();
                let answered = runtime.block_on(gate.call(first));
                assert_eq!(answered.map(|it| it.status().as_u16()), Ok(self.expected));
                self.count(&mut gate, &requests, gated, total);
            }
            Met::GrpcGate => count(gate(&PROFILE, Extras::Grant).grpc_services([GRPC_SERVICE])),
            Met::Straight(left) => {
                let mut straight = Straight::new(clock.clone(), &store, &Arc::new(limiter), left);
                self.count(&mut straight, &requests, gated, total);
            }
            Met::OpenRouter => self.count(&mut InRouter::new(open()), &requests, gated, total),
            Met::GatedRouter => {
                let router = subject::gated(gate(&PROFILE, Extras::Grant).routes(routes()));
                self.count(&mut InRouter::new(router), &requests, gated, total);
            }
            Met::RouterByHand => {
                self.count(&mut InRouter::new(by_hand(&keys)), &requests, gated, total);
            }
        }
    }

    /// Makes the requests of a path with a gate, or with what stands for it.
    fn count<S, B>(&self, gate: &mut S, requests: &[Request<()>], gated: usize, total: usize)
    where
        S: Service<Request<()>, Response = Response<B>, Error = Infallible>,
    {
        // What the first request of an account, of a page or of a thread sets up is not counted.
        for request in requests {
            let response = call(gate, request.clone());
            assert_eq!(response.status().as_u16(), self.expected, "{}", self.name);
            let refused = response.headers().get("grpc-status").is_some();
            assert_eq!(refused, self.name == "refuse-grpc", "{}", self.name);
            free_served();
        }
        counted_requests(gate, &mut nothing(), requests, gated, total);
    }
}

/// Builds a cache that has all keys.
fn filled(
    runtime: &Runtime,
    store: &MemoryStore,
    clock: &ManualClock,
    keys: &[String],
) -> Cached<MemoryStore> {
    let cache = Cached::builder(store.clone()).clock(clock.clone()).build();
    runtime.block_on(async {
        for key in keys {
            let found = cache.find(&KeyHasher::sha256().digest(key.as_bytes())).await;
            assert!(found.is_ok_and(|record| record.is_some()));
        }
    });
    cache
}

fn bearer(key: &str, _: &str) -> Option<HeaderValue> {
    subject::bearer(key)
}

fn basic(key: &str, _: &str) -> Option<HeaderValue> {
    subject::basic(key)
}

fn none(_: &str, _: &str) -> Option<HeaderValue> {
    None
}

fn comma(key: &str, _: &str) -> Option<HeaderValue> {
    subject::bearer(&format!("{key},"))
}

/// Two halves of two keys fit the alphabet and the length, and not each other.
fn halves(key: &str, next: &str) -> Option<HeaderValue> {
    subject::bearer(&format!("{}{}", key.get(..20)?, next.get(20..)?))
}

fn issue(seed: u64) -> Vec<String> {
    let mut random = SmallRng::seed_from_u64(seed);
    (0..KEYS).map(|_| subject::key(&mut random)).collect()
}
