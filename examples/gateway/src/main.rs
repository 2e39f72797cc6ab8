//! A reverse proxy with a front door, described by one file.
//!
//! ```text
//! cargo run -p gateway -- examples/gateway/gateway.toml
//! ```

use std::io;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::ExitCode;

use clap::Parser;
use gateway::{FrontDoor, Gateway, Problem, Watched, read};
use tokio::signal::unix::{Signal, SignalKind, signal};
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
    // Before it can be asked: a signal without a listener ends the process.
    let signals = Signals::listen().map_err(|error| Problem::new(format!("signals: {error}")))?;
    let (front_door, key) = FrontDoor::demo()?;
    let gateway = Gateway::start(settings, front_door).await?;
    for address in gateway.addresses() {
        info!("listening on {address}");
    }
    println!("key: {}", key.expose());
    serve(gateway, &options.file, signals).await
}

/// Reloads on SIGHUP and when a file changes, and ends on SIGTERM and SIGINT.
async fn serve(mut gateway: Gateway, file: &Path, mut signals: Signals) -> Result<bool, Problem> {
    let mut tick = interval(gateway.settings().watch_period.get());
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let files = |gateway: &Gateway| gateway.files().into_iter().chain([file.to_owned()]);
    let mut watched = Watched::new(files(&gateway));
    loop {
        tokio::select! {
            request = signals.next() => match request {
                Request::Reload => {
                    watched.has_changed();
                    info!("SIGHUP: reading {}", file.display());
                }
                Request::End => break,
            },
            _ = tick.tick() => {
                if !watched.has_changed() {
                    continue;
                }
                info!("a file has changed: reading {}", file.display());
            }
        }
        match read(file).and_then(|settings| gateway.reload(settings)) {
            Ok(()) => info!("the new file is in force"),
            Err(problem) => error!("the old file stays in force: {problem}"),
        }
        watched.follow(files(&gateway));
    }
    let mut end = pin!(gateway.end());
    loop {
        tokio::select! {
            is_done = &mut end => return Ok(is_done),
            // A second signal does not wait.
            request = signals.next() => if request == Request::End {
                return Ok(false);
            },
        }
    }
}

/// The signals of the process.
struct Signals {
    hang_up: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            hang_up: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> Request {
        tokio::select! {
            _ = self.hang_up.recv() => Request::Reload,
            _ = self.terminate.recv() => Request::End,
            _ = self.interrupt.recv() => Request::End,
        }
    }
}

/// What a signal asks for.
#[derive(PartialEq, Eq)]
enum Request {
    Reload,
    End,
}
