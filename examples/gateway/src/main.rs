//! A reverse proxy with a front door, described by one file.
//!
//! ```text
//! cargo run -p gateway -- examples/gateway/gateway.toml
//! ```

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::ExitCode;

use clap::Parser;
use gateway::settings::GatewaySettings;
use gateway::{FrontDoor, Gateway, Watched, json_schema, open};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;
use tower_api_key_front_door::LiveFrontDoor;
use tracing::{error, info};

/// The reason why the gateway does not start.
type Failure = Box<dyn Error + Send + Sync>;

/// Forwards requests with a key to the services behind it
#[derive(Debug, Parser)]
#[command(name = "gateway")]
struct Options {
    /// The file that describes listeners, upstreams and routes, in TOML or JSON
    #[arg(required_unless_present = "schema")]
    file: Option<PathBuf>,

    /// Only check the file
    #[arg(long)]
    check: bool,

    /// Only print the JSON Schema of the file, for editors
    #[arg(long)]
    schema: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    match run(&options).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(3),
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::from(2)
        }
    }
}

/// Serves until a signal ends the process. Returns false if requests were cut off.
async fn run(options: &Options) -> Result<bool, Failure> {
    let Some(file) = options.file.as_deref().filter(|_| !options.schema) else {
        print!("{}", json_schema());
        return Ok(true);
    };
    // Before the process can be asked: a signal without a listener ends it.
    let signals = Signals::listen()?;
    gateway::record()?;
    let front_door = open(file).await?;
    if options.check {
        // It was opened, and nothing that runs beside requests was started.
        println!("{}: no mistake", file.display());
        return Ok(true);
    }
    let settings = GatewaySettings::clone(&front_door.settings());
    let gateway = Gateway::start(settings, FrontDoor::live(&front_door)).await?;
    for address in gateway.addresses() {
        info!("listening on {address}");
    }
    front_door.start().await;
    let watched = Watched::new(files(&gateway, file));
    Serving { gateway, front_door, watched, is_settled: true, told: None }
        .until_end(file, signals)
        .await
}

/// Lists the files that the gateway follows.
fn files(gateway: &Gateway, file: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    gateway.files().into_iter().chain([file.to_owned()])
}

/// A gateway that follows its file.
struct Serving {
    gateway: Gateway,
    front_door: LiveFrontDoor<GatewaySettings>,
    watched: Watched,
    /// True unless a file changed at the last look: it may be half written.
    is_settled: bool,
    /// The problem that was logged last.
    told: Option<String>,
}

impl Serving {
    /// Reloads on SIGHUP and when a file changes, and ends on SIGTERM and SIGINT.
    async fn until_end(mut self, file: &Path, mut signals: Signals) -> Result<bool, Failure> {
        loop {
            // The period is that of the file in force.
            let pause = sleep(self.gateway.settings().watch_period.get());
            tokio::select! {
                request = signals.next() => match request {
                    Request::Reload => {
                        info!("SIGHUP: reading {}", file.display());
                        (self.told, self.is_settled) = (None, false);
                        self.reload().await;
                    }
                    Request::End => break,
                },
                () = pause => {
                    if self.watched.has_changed() {
                        self.is_settled = false;
                    } else {
                        self.reload().await;
                    }
                }
            }
            self.watched.follow(files(&self.gateway, file));
        }
        let mut end = pin!(self.gateway.end());
        loop {
            tokio::select! {
                is_done = &mut end => {
                    if let Err(problem) = self.front_door.give_back_all().await {
                        error!("tokens of leases are lost: {problem}");
                    }
                    if let Err(problem) = self.front_door.flush_usage().await {
                        error!("the last usage is lost: {problem}");
                    }
                    if let Err(problem) = self.front_door.flush_events().await {
                        error!("the last events are lost: {problem}");
                    }
                    self.front_door.stop().await;
                    return Ok(is_done);
                }
                // A second signal does not wait.
                request = signals.next() => if request == Request::End {
                    return Ok(false);
                },
            }
        }
    }

    /// Takes over what has changed: in the file, in files that it names, and in certificates.
    async fn reload(&mut self) {
        match self.try_reload().await {
            Ok(false) => {}
            Ok(true) => {
                self.told = None;
                info!("the new file is in force");
            }
            // Said once, not at each look.
            Err(problem) => {
                let problem = problem.to_string();
                if self.told.as_ref() != Some(&problem) {
                    error!("the old file stays in force: {problem}");
                    self.told = Some(problem);
                }
            }
        }
    }

    async fn try_reload(&mut self) -> Result<bool, Failure> {
        // Tried again at the next look if it fails, whatever has changed.
        let again = !std::mem::replace(&mut self.is_settled, false);
        let has_changed = self.gateway.follow(&self.front_door, again).await?;
        self.is_settled = true;
        Ok(has_changed)
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
