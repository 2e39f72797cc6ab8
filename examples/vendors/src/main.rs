//! Serves all five vendors on their documented paths, in one axum app, over HTTPS and plain HTTP.
//!
//! ```text
//! cargo run --release -p vendors-demo
//! ```
//!
//! With `-- --gallery` it serves the vendors of `vendors/gallery`, each from its file alone.
//!
//! It needs no set-up: it makes a certificate and keys when it starts. It prints the keys, and a curl
//! command for each vendor. `--help` lists the options.

mod announcement;
mod app;
mod certificate;
#[path = "../../../crates/tower-api-key-cli/src/complaint.rs"]
mod complaint;
mod console;
mod data;
mod database;
mod delay;
mod drain;
mod gallery;
mod gates;
mod grpc;
mod keys;
mod live;
#[path = "../../gateway/src/local.rs"]
mod local;
mod manage;
mod manifest;
mod openapi;
mod options;
mod organizations;
mod persona;
mod personyze;
mod polyteia;
mod polytomic;
#[allow(unreachable_pub)]
#[path = "../../gateway/src/recorder.rs"]
mod recorder;
mod rest_integrations;
mod server;
mod telemetry;
mod usage;
#[allow(clippy::all, clippy::pedantic, dead_code, missing_docs, unreachable_pub)]
mod users_v1;
mod workshop;

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use tokio::net::TcpListener;

use certificate::Certificate;
use complaint::unrepeated;
use database::Database;
use gallery::GalleryManifest;
use keys::Keys;
use manifest::Manifest;
use options::Options;

/// An error that ends the demo.
type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::try_parse().unwrap_or_else(|error| unrepeated(error).exit());
    match run(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("vendors: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Failure> {
    telemetry::begin(options.log)?;
    let https = listen(options.https).await?;
    let http = listen(options.http).await?;
    let certificate = Certificate::make(https.local_addr()?.ip())?;
    if let Some(folder) = &options.gallery {
        return serve_gallery(folder, &options, https, http, &certificate).await;
    }
    let mut keys = Keys::new(options.seed);
    let database = Database::open(&options.store).await?;
    let app = app::build(&mut keys, &database, &options).await?;

    let manifest = Manifest::new(
        base_url("https", https.local_addr()?),
        base_url("http", http.local_addr()?),
        certificate.path(),
        keys.into_list(),
    );
    // Clients may connect already: a bound listener queues connections.
    if let Some(path) = &options.manifest {
        manifest.write(path)?;
    }
    announcement::print(&manifest, &options);
    let served = server::serve(https, http, certificate.server_config()?, app).await;
    if let Some(usage) = database.usage() {
        usage.stop().await;
    }
    served
}

/// Serves the front doors of a folder.
async fn serve_gallery(
    folder: &Path,
    options: &Options,
    https: TcpListener,
    http: TcpListener,
    certificate: &Certificate,
) -> Result<(), Failure> {
    let base = base_url("https", https.local_addr()?);
    let doors = gallery::doors(folder, &base)?;
    let plain = base_url("http", http.local_addr()?);
    let manifest = GalleryManifest::new(base, plain, certificate.path(), &doors);
    if let Some(path) = &options.manifest {
        manifest.write(path)?;
    }
    manifest.print();
    server::serve(https, http, certificate.server_config()?, gallery::router(doors)).await
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| {
        format!(
            "cannot listen on {address}: {error}; choose another address with --https or --http"
        )
        .into()
    })
}

/// Returns the URL for clients on this machine, with a host name of the certificate.
fn base_url(scheme: &str, address: SocketAddr) -> String {
    let (ip, port) = (address.ip(), address.port());
    let local = [IpAddr::from([127, 0, 0, 1]), IpAddr::from([0; 16])];
    match ip {
        ip if local.contains(&ip) || ip.is_unspecified() => format!("{scheme}://localhost:{port}"),
        IpAddr::V6(ip) if ip.is_loopback() => format!("{scheme}://localhost:{port}"),
        _ => format!("{scheme}://{address}"),
    }
}
