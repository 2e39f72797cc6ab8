//! A reverse proxy with a front door, described by one file.
//!
//! ```text
//! cargo run -p gateway -- examples/gateway/gateway.toml
//! ```

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use gateway::{FrontDoor, Gateway, Problem, Watched, read};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};
use tracing::{error, info};

/// Forwards requests with a key to the services behind it
#[derive(Debug, Parser)]
#[command(name = "gateway")]
struct Options {
    /// The file that describes listeners, upstreams and routes
    file: PathBuf,

    /// Only check the file
    #[arg(long)]
    check: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    match run(&options).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(3),
        Err(problem) => {
            eprintln!("gateway: {problem}");
            ExitCode::from(2)
        }
    }
}

/// Serves until a signal ends the process. Returns false if requests were cut off.
async fn run(options: &Options) -> Result<bool, Problem> {
    let settings = read(&options.file)?;
    if options.check {
        gateway::check(&settings)?;
        println!("{} is right", options.file.display());
        return Ok(true);
    }
    let (front_door, key) = FrontDoor::demo()?;
    let gateway = Gateway::start(settings, front_door).await?;
    for address in gateway.addresses() {
        info!("listening on {address}");
    }
    println!("key: {}", key.expose());
    serve(gateway, &options.file).await
}

/// Reloads on SIGHUP and when a file changes, and ends on SIGTERM and SIGINT.
async fn serve(mut gateway: Gateway, file: &Path) -> Result<bool, Problem> {
    let listen = |kind| signal(kind).map_err(|error| Problem::new(format!("signals: {error}")));
    let mut hang_up = listen(SignalKind::hangup())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut tick = interval(gateway.settings().watch_period.get());
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let files = |gateway: &Gateway| gateway.files().into_iter().chain([file.to_owned()]);
    let mut watched = Watched::new(files(&gateway));
    loop {
        tokio::select! {
            _ = hang_up.recv() => {
                watched.has_changed();
                info!("SIGHUP: reading {}", file.display());
            }
            _ = tick.tick() => {
                if !watched.has_changed() {
                    continue;
                }
                info!("a file has changed: reading {}", file.display());
            }
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
        }
        match read(file).and_then(|settings| gateway.reload(settings)) {
            Ok(()) => info!("the new file is in force"),
            Err(problem) => error!("the old file stays in force: {problem}"),
        }
        watched.follow(files(&gateway));
    }
    tokio::select! {
        is_done = gateway.end() => Ok(is_done),
        // A second signal does not wait.
        _ = terminate.recv() => Ok(false),
        _ = interrupt.recv() => Ok(false),
    }
}
