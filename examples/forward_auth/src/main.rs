//! Answers a proxy's questions about requests.
//!
//! ```text
//! cargo run -p forward-auth -- examples/forward_auth/forward-auth.toml
//! nginx -c $PWD/examples/forward_auth/proxies/nginx.conf
//! ```

use std::error::Error;
use std::{env, fs};

use forward_auth::{Checker, Settings, Socket, front_door, serve};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let file = env::args().nth(1).ok_or("name the file with the table [forward_auth]")?;
    let text = fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
    let settings = Settings::read(&text).map_err(|error| format!("{file}: {error}"))?;
    let (store, key) = front_door::demo_store()?;
    let gate = front_door::gate(store)?;
    let checker = Checker::new(gate, &settings)?;
    let socket = Socket::bind(&settings.listen).await?;
    println!("listening on {}", settings.listen);
    println!("a key to try: {}", key.expose());
    let mut terminate = signal(SignalKind::terminate())?;
    let end = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    };
    serve(socket, checker, end).await;
    Ok(())
}
