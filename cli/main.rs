//! Manages API keys from the command line: `tower-api-key --help`.

mod accounts;
mod arguments;
mod check;
mod complaint;
mod failure;
mod import;
mod issue;
mod keys;
mod moment;
mod output;
mod quota;
mod settings;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use tower_api_key::store::{KeyManager, SqlStore};

use arguments::{Arguments, Command};
use complaint::unrepeated;
use failure::Failure;
use output::Output;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::try_parse().unwrap_or_else(|error| unrepeated(error).exit());
    match run(arguments).await {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("tower-api-key: {}", failure.full_text());
            failure.exit_code()
        }
    }
}

async fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    let output = Output::new(arguments.json, arguments.quiet);
    // Connecting brings the tables up to date. What only looks makes no file: its path may be mistyped.
    let mut store = SqlStore::builder(&arguments.store)
        .prefix(&arguments.table_prefix)
        .create_if_missing(arguments.command.creates());
    if let Some(schema) = &arguments.table_schema {
        store = store.schema(schema);
    }
    let store: Arc<dyn KeyManager> = Arc::new(store.connect().await?);
    let (store, by) = (&*store, arguments.by.as_str());
    match arguments.command {
        Command::Keys(command) => keys::run(store, by, command, &output).await?,
        Command::Accounts(command) => accounts::run(store, by, command, &output).await?,
        Command::Trail { after, limit } => {
            output.trail(&store.changes(after, limit).await?)?;
        }
        Command::Check(question) => return check::run(store, question, &output).await,
        Command::Migrate => output.say("the tables are up to date"),
    }
    Ok(ExitCode::SUCCESS)
}
