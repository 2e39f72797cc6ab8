//! The command line.

use std::error::Error;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::Parser;
use tower_api_key::key::{InvalidNetwork, Networks};
use tower_api_key::request::{ProxyHeaders, TrustedProxies};

use crate::gates::{Limits, OnFailure};

/// Serves five vendors' APIs behind tower-api-key.
#[derive(Debug, Parser)]
#[command(name = "vendors")]
pub(crate) struct Options {
    /// Listen here for HTTPS; port 0 is any free port
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8443")]
    pub(crate) https: SocketAddr,

    /// Listen here for plain HTTP, where every key is refused; port 0 is any free port
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub(crate) http: SocketAddr,

    /// Write addresses and keys here, as JSON, once both listeners accept
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: Option<PathBuf>,

    /// Believe proxies of this network on HTTPS and on the client's address; repeatable
    #[arg(long, value_name = "CIDR", value_parser = network)]
    pub(crate) trust: Vec<String>,

    /// Make the same demo keys at every start with this number
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,

    /// Keep keys here: sqlite:FILE, postgres://USER@HOST/DATABASE, or memory, which ends with the process
    #[arg(long, value_name = "URL", default_value = "sqlite:demo-keys.db")]
    pub(crate) store: String,

    /// Count here: memory, or redis://HOST[?lease=TOKENS], which several processes may share
    #[arg(long, value_name = "WHERE", default_value = "memory")]
    pub(crate) limits: Limits,

    /// Do this with a request that cannot be counted
    #[arg(long, value_name = "CHOICE", default_value = "deny")]
    pub(crate) on_limiter_failure: OnFailure,

    /// With local: the processes that share a limit
    #[arg(long, value_name = "N", default_value = "1")]
    pub(crate) nodes: NonZeroU32,

    /// Serve Polytomic as on premises, where the deployment key authenticates
    #[arg(long)]
    pub(crate) on_premises: bool,
}

impl Options {
    /// Trusts what `--trust` names, and nobody else.
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
