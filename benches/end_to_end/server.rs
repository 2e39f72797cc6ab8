//! A hyper server with and without the gate, for `benches/end_to_end/run` to put traffic on.
//!
//! It serves HTTP/1.1 on a free port of 127.0.0.1 with one thread, and tells its address in a file
//! once it is ready. The keys that it issues come from a seed: they are worth nothing.

#![allow(clippy::expect_used)]

#[path = "../subject/clock.rs"]
mod clock;

use std::convert::Infallible;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use clap::{Parser, ValueEnum};
use http::{Method, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tokio::net::{TcpListener, TcpStream};
use tower::{Layer, service_fn};
use tower_api_key::key::{Account, Alphabet, Issuer, KeyFormat, KeyHasher, KeyRecord};
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::profile::LimitHeaders;
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::request::Connection;
use tower_api_key::rules::{Route, Routes};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, MarkConnection, Profile, vendors};

use clock::Fast;

const KEYS_PER_ACCOUNT: usize = 10;

/// Keys of 40 characters, one block of SHA-256.
const FORMAT: KeyFormat =
    KeyFormat::new().literal("acme_").characters(Alphabet::Base62, 29).checksum();

const PROFILE: Profile = Profile {
    formats: &[FORMAT],
    limit_headers: LimitHeaders::RATE_LIMIT,
    ..vendors::REST_INTEGRATIONS
};

#[derive(Parser)]
struct Arguments {
    /// Whether the gate is in front of the service.
    #[arg(long)]
    layer: Switch,
    /// How many keys to issue, ten to an account.
    #[arg(long, default_value_t = 1_000_000)]
    keys: usize,
    /// How many requests an account has in a minute, and in an hour.
    #[arg(long, default_value_t = 9_999)]
    limit: u32,
    /// How much faster than the system's the gate's clock runs, so that the limits of a few busy accounts last.
    #[arg(long, default_value_t = 1)]
    speed: u64,
    /// What the keys are made from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where to write the keys, one a line.
    #[arg(long)]
    keys_file: Option<PathBuf>,
    /// Where to write the address, once the server is ready.
    #[arg(long)]
    address_file: PathBuf,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Switch {
    On,
    Off,
}

async fn answer(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::new(Bytes::from_static(b"ok\n"))))
}

/// Puts keys into a store, and their text into a file.
fn issue(arguments: &Arguments) -> io::Result<MemoryStore> {
    let path = arguments.keys_file.as_deref().unwrap_or(Path::new("/dev/null"));
    let mut texts = BufWriter::new(File::create(path)?);
    let issuer = Issuer::new(FORMAT, KeyHasher::sha256());
    let mut random = SmallRng::seed_from_u64(arguments.seed);
    let store = MemoryStore::new();
    for first in (0..arguments.keys).step_by(KEYS_PER_ACCOUNT) {
        let account = Account::builder(format!("account_{}", first / KEYS_PER_ACCOUNT))
            .scopes(["users.read", "users.write"]);
        let account = Arc::new(account.build().expect("a valid account"));
        for index in (first..arguments.keys).take(KEYS_PER_ACCOUNT) {
            let issued = issuer.insecure_issue_from(None, |bytes| {
                random.fill_bytes(bytes);
                Ok(())
            });
            let issued = issued.expect("the format is strong");
            writeln!(texts, "{}", issued.expose())?;
            let record = KeyRecord::builder(format!("key_{index}"), Arc::clone(&account));
            store.add_now(*issued.digest(), record.build().expect("a valid record"));
        }
    }
    texts.flush()?;
    Ok(store)
}

/// Builds a gate that does all there is to do: a route with a scope, two windows, limit headers.
fn gate(arguments: &Arguments) -> io::Result<ApiKeyLayer> {
    let quotas = [
        Quota::new("minute", arguments.limit, Duration::from_secs(60)),
        Quota::new("hour", arguments.limit, Duration::from_secs(3_600)),
    ];
    let (read, write) =
        (Route::new().all_of(&["users.read"]), Route::new().all_of(&["users.write"]));
    let users = "/v1/users";
    let routes = Routes::new().on(&[Method::GET], users, read).on(&[Method::POST], users, write);
    let layer = ApiKeyLayer::builder(Profile { quotas: &quotas, ..PROFILE }, issue(arguments)?)
        .routes(routes)
        .limits(MemoryLimiter::new(), OnLimiterFailure::Deny);
    let layer = if arguments.speed > 1 { layer.clock(Fast::new(arguments.speed)) } else { layer };
    Ok(layer.build().expect("the profile does not contradict itself"))
}

/// Serves one connection, in a task of its own.
async fn serve(stream: TcpStream, gate: Option<ApiKeyLayer>) {
    let Ok(peer) = stream.peer_addr() else { return };
    let (stream, service) = (TokioIo::new(stream), service_fn(answer));
    let server = http1::Builder::new();
    let served = match gate {
        None => server.serve_connection(stream, TowerToHyperService::new(service)).await,
        Some(gate) => {
            // The traffic is plain; the mark is what an acceptor puts that has terminated TLS.
            let marked = MarkConnection::new(Connection::tls(peer)).layer(gate.layer(service));
            server.serve_connection(stream, TowerToHyperService::new(marked)).await
        }
    };
    drop(served); // The other side has hung up, as it does when a round is over.
}

/// Writes the address under another name first, so that nobody reads half of it.
fn announce(listener: &TcpListener, file: &Path) -> io::Result<()> {
    let unfinished = file.with_extension("unfinished");
    fs::write(&unfinished, listener.local_addr()?.to_string())?;
    fs::rename(unfinished, file)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let gate = match arguments.layer {
        Switch::On => Some(gate(&arguments)?),
        Switch::Off => None,
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    announce(&listener, &arguments.address_file)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?; // As nginx and HAProxy do.
        tokio::spawn(serve(stream, gate.clone()));
    }
}
