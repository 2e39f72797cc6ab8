//! Manages API keys from the command line: `tower-api-key --help`.

mod account_commands;
mod accounts;
mod arguments;
mod at_least_one;
mod check;
mod complaint;
mod config;
mod door;
mod escape;
mod events;
mod failure;
mod file_output;
mod filter;
mod gate;
mod help;
mod import;
mod issue;
mod key_commands;
mod keys;
mod meaning;
mod moment;
mod output;
mod peppers;
mod policies;
mod policy_check;
mod policy_findings;
mod policy_rules;
mod policy_sweep;
mod pruning;
mod quota;
mod secret;
mod settings;
mod trail;
mod usage;
mod vendor;
mod whose;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{CommandFactory, FromArgMatches};
use tower_api_key::config::{FrontDoorError, StoreSettings};
use tower_api_key::store::CommandOptions;
use tower_api_key_sqlx::SqlStore;

use arguments::{Arguments, Command};
use complaint::unrepeated;
use failure::Failure;
use file_output::complain_of_file;
use gate::Gate;
use output::{Output, complain};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = match arguments() {
        Ok(arguments) => arguments,
        Err(error) => return print_complaint(&unrepeated(error)),
    };
    match run(arguments).await {
        Ok(code) => code,
        Err(failure) => {
            match &failure {
                Failure::FrontDoor(FrontDoorError::Mistaken { text, .. }) => complain_of_file(text),
                _ => complain(&format!("tower-api-key: {}", failure.full_text())),
            }
            failure.exit_code()
        }
    }
}

fn arguments() -> Result<Arguments, clap::Error> {
    let mut command = Arguments::command();
    let matches = command.try_get_matches_from_mut(std::env::args_os())?;
    meaning::check(&mut command, &matches)?;
    let mut arguments = Arguments::from_arg_matches(&matches)?;
    arguments.store_is_default = matches.value_source("store") == Some(ValueSource::DefaultValue);
    Ok(arguments)
}

async fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    let output = Output::new(arguments.json, arguments.quiet);
    match &arguments.command {
        Command::Config(command) => return config::run(command, &output),
        Command::Check(question) => {
            let gate = question.gate()?;
            let store = open(&arguments, gate.store()).await?;
            return check::run(&store, question, gate, &output).await;
        }
        Command::Peppers { config: Some(file), table } => {
            let gate = Gate::of(Some(file.as_path()), table.as_deref(), None, None)?;
            let store = open(&arguments, gate.store()).await?;
            peppers::run(&store, Some(&gate.hasher()), &output).await?;
            return Ok(ExitCode::SUCCESS);
        }
        _ => {}
    }
    let store = open(&arguments, None).await?;
    let (store, by) = (&store, arguments.by.as_str());
    let options = CommandOptions::by(by);
    let reason = arguments.reason.as_deref();
    let options = reason.map_or(options, |reason| options.because(reason));
    match arguments.command {
        Command::Keys(command) => keys::run(store, options, command, &output).await?,
        Command::Accounts(command) => accounts::run(store, options, command, &output).await?,
        Command::Policies(command) => policies::run(store, by, command, &output).await?,
        Command::Trail(command) => command.run(store, &output).await?,
        Command::Events(command) => command.run(store, &output).await?,
        Command::Whose { pepper_files } => return whose::run(store, &pepper_files, &output).await,
        Command::Peppers { .. } => peppers::run(store, None, &output).await?,
        Command::Usage(question) => usage::run(store, question, &output).await?,
        Command::Migrate => output.say("the tables are up to date"),
        Command::Check(_) | Command::Config(_) => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// Connects to the database of the command line, or else to that of a front door's file.
async fn open(
    arguments: &Arguments,
    settings: Option<&StoreSettings>,
) -> Result<SqlStore, Failure> {
    let settings = settings.filter(|_| arguments.store_is_default);
    let (mut url, mut prefix) = (arguments.store.as_str(), arguments.table_prefix.as_str());
    let mut schema = arguments.table_schema.as_deref();
    let behind_pooler = settings.is_some_and(|settings| settings.behind_pooler);
    if let Some(settings) = settings {
        url = settings.url.expose();
        prefix = settings.prefix.as_deref().unwrap_or(prefix);
        schema = settings.schema.as_deref().or(schema);
    }
    // Connecting brings the tables up to date. A command that only reads creates no file, because the
    // path may be mistyped.
    let mut store = SqlStore::builder(url)
        .prefix(prefix)
        .behind_pooler(behind_pooler)
        .create_if_missing(arguments.command.creates());
    if let Some(schema) = schema {
        store = store.schema(schema);
    }
    Ok(store.connect().await?)
}

/// Prints what is wrong with the command line, or the help that was asked for.
fn print_complaint(complaint: &clap::Error) -> ExitCode {
    if complaint.use_stderr() {
        // A failure to print has no other place to go; the exit code remains. The same holds for help.
        let _ = write!(io::stderr(), "{}", escape::lines(&complaint.render().to_string()));
    } else {
        // Help is the program's own text, so it needs no escaping.
        let _ = complaint.print();
    }
    ExitCode::from(u8::try_from(complaint.exit_code()).unwrap_or(2))
}
