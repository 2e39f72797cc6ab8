//! Serves a gate over TLS with the server of your choice.
//!
//! ```text
//! cargo run -p tls-servers -- axum-server
//! ```

use std::env::args;

use tls_servers::{Failure, Setup, axum_serve, axum_server, hyper_util, tonic};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let setup = Setup::new()?;
    let listener = TcpListener::bind("127.0.0.1:8444").await?;
    println!("{}", setup.certificate);
    println!("Save the certificate as ca.pem and try:");
    println!("  curl -i --cacert ca.pem https://localhost:8444/ -H 'X-Api-Key: {}'", setup.key);
    match args().nth(1).as_deref() {
        Some("axum-server") => axum_server::serve(listener.into_std()?, setup).await,
        Some("axum") => axum_serve::serve(listener, setup).await,
        Some("hyper-util") => hyper_util::serve(listener, setup).await,
        Some("tonic") => tonic::serve(listener, setup).await,
        _ => Err("name a server: axum-server, axum, hyper-util or tonic".into()),
    }
}
