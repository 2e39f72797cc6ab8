//! The command line.

use std::error::Error;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::Parser;
use tower_api_key::key::{InvalidNetwork, Networks};
use tower_api_key::request::{ProxyHeaders, TrustedProxies};
use tracing_subscriber::filter::LevelFilter;

use crate::gates::{Limits, OnFailure};

const GALLERY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vendors/gallery");

/// Serves demos of five vendors' APIs behind tower-api-key, and prints keys and curl commands to try
#[derive(Debug, Parser)]
#[command(name = "vendors")]
pub(crate) struct Options {
    /// Address for HTTPS; port 0 takes a free port
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8443")]
    pub(crate) https: SocketAddr,

    /// Address for plain HTTP, where gates refuse every key; port 0 takes a free port
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub(crate) http: SocketAddr,

    /// Write the addresses and keys to this file as JSON, once both addresses accept connections
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: Option<PathBuf>,

    /// Trust the forwarding headers of proxies in this network, for HTTPS and the client's address;
    /// repeatable [default: no proxy]
    #[arg(long, value_name = "CIDR", value_parser = network)]
    pub(crate) trust: Vec<String>,

    /// Make the same keys at every start with this seed [default: random keys]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,

    /// Store of the keys: sqlite:FILE, postgres://USER@HOST/DATABASE, or memory, which ends with the
    /// process
    #[arg(long, value_name = "URL", default_value = "sqlite:demo-keys.db")]
    pub(crate) store: String,

    /// Limiter: memory counts in this process, redis://HOST[?lease=TOKENS] in Redis, for all processes that
    /// use it; TOKENS is the most requests that a process pays for in advance
    #[arg(long, value_name = "LIMITER", default_value = "memory")]
    pub(crate) limits: Limits,

    /// What happens to a request while the limiter fails
    #[arg(long, value_name = "CHOICE", default_value = "deny")]
    pub(crate) on_limiter_failure: OnFailure,

    /// Number of processes that share a limit, for `--on-limiter-failure local`
    #[arg(long, value_name = "N", default_value = "1")]
    pub(crate) nodes: NonZeroU32,

    /// Serve each front door of this folder of TOML files, below the name of its file [default: vendors/gallery].
    /// Its keys are in memory, and the options of stores, limiters and proxies do not apply
    #[arg(long, value_name = "FOLDER", num_args = 0..=1, default_missing_value = GALLERY)]
    pub(crate) gallery: Option<PathBuf>,

    /// Least level of what is logged on standard error: off, warn, info or debug. Refused requests are logged at info,
    /// admitted ones at debug
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    pub(crate) log: LevelFilter,

    /// Serve Polytomic on premises, where the deployment key is accepted
    #[arg(long)]
    pub(crate) on_premises: bool,
}

impl Options {
    /// Returns the proxies of `--trust`; without it, no proxy is trusted.
    pub(crate) fn trusted_proxies(&self) -> Result<TrustedProxies, Box<dyn Error + Send + Sync>> {
        if self.trust.is_empty() {
            return Ok(TrustedProxies::default());
        }
        let networks = Networks::new(self.trust.iter().map(String::as_str))?;
        Ok(TrustedProxies::new(networks, ProxyHeaders::Either))
    }
}

fn network(text: &str) -> Result<String, InvalidNetwork> {
    Networks::new([text]).map(|_| text.to_owned())
}
