//! Answers a proxy's questions about requests.
//!
//! ```text
//! cargo run -p forward-auth -- examples/forward_auth/forward-auth.toml
//! nginx -c $PWD/examples/forward_auth/proxies/nginx.conf
//! ```

use std::env;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use forward_auth::{Settings, Socket, front_door, serve};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tower_api_key_front_door::{LiveFrontDoor, OpenError};

/// How often the program looks whether its file has changed.
const LOOK: Duration = Duration::from_secs(1);

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let file = env::args_os().nth(1).map(PathBuf::from);
    let file = file.ok_or("name the file with the front door and the table [forward_auth]")?;
    let (hang_up, mut terminate) =
        (signal(SignalKind::hangup())?, signal(SignalKind::terminate())?);
    let (door, checker) = front_door::open(&file).await?;
    let listen = door.settings().listen.clone();
    let socket = Socket::bind(&listen).await?;
    println!("listening on {listen}");
    door.start().await;
    tokio::spawn(door.watch(LOOK, report));
    tokio::spawn(reload(door.clone(), hang_up));
    let end = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    };
    serve(socket, checker, end).await;
    door.give_back_all().await?;
    door.flush_usage().await?;
    door.stop().await;
    Ok(())
}

/// Reloads the file on SIGHUP.
async fn reload(door: LiveFrontDoor<Settings>, mut hang_up: Signal) {
    while hang_up.recv().await.is_some() {
        report(door.reload().await.map(drop));
    }
}

fn report(reloaded: Result<(), OpenError>) {
    match reloaded {
        Ok(()) => eprintln!("the new file is in force"),
        Err(error) => eprintln!("the old file stays in force: {error}"),
    }
}
